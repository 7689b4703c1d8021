//! Reading a touch as it is kept.

use leadline_domain::attribution::TouchParams;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A touch as it is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Visit {
    #[serde(flatten)]
    pub(super) params: TouchParams,
    pub(super) channel: Option<String>,
    pub(super) source: Option<String>,
    pub(super) keyword: Option<String>,
}

impl Visit {
    pub(super) fn read(touch: &RawValue) -> Self {
        serde_json::from_str(touch.get()).unwrap_or_default()
    }

    pub(super) fn tells_of_an_origin(&self) -> bool {
        let TouchParams { utm_source, utm_medium, utm_campaign, .. } = &self.params;
        [utm_source, utm_medium, utm_campaign, &self.source].into_iter().any(Option::is_some)
    }
}
