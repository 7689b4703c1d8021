//! What conditions on leads are read with where nobody asks in person: rules, automations, segments. There is no `me` in
//! them, and they see what people are called.

use std::collections::HashMap;

use leadline_domain::{
    custom_fields::CustomKind,
    filters::{Facts, Filter, FilterFault, Moment, Segments},
    ids::{SegmentId, WorkspaceId},
    silence::{self, Tz},
};
use leadline_store::{Error, custom_fields, segments, workspaces};
use serde_json::Value;

use crate::Engine;

/// What conditions of a workspace are read with, now.
pub(crate) struct Conditions {
    moment: Moment,
    custom: HashMap<String, CustomKind>,
    segments: Segments,
}

impl Conditions {
    pub(crate) async fn load(engine: &Engine, workspace: WorkspaceId) -> Result<Self, Error> {
        let reader = engine.store.reader();
        let found = workspaces::find(&reader, workspace).await?;
        let timezone = timezone_of(&found.map(|workspace| workspace.settings).unwrap_or_default());
        Ok(Self {
            moment: Moment { now: engine.clock.now(), timezone },
            custom: custom_fields::kinds(&reader, workspace).await?,
            segments: segments::filters(&reader, workspace).await?,
        })
    }

    /// By which clock days begin.
    pub(crate) fn timezone(&self) -> Tz {
        self.moment.timezone
    }

    /// What conditions ask.
    pub(crate) fn read(&self, json: &Value) -> Result<Filter, Vec<FilterFault>> {
        Filter::read(json, &self.facts())
    }

    /// The same of a segment's own conditions, which cannot name the segment.
    pub(crate) fn read_segment(&self, id: SegmentId, json: &Value) -> Result<Filter, Vec<FilterFault>> {
        Filter::read_segment(id, json, &self.facts())
    }

    fn facts(&self) -> Facts<'_> {
        Facts { moment: self.moment, me: None, custom: &self.custom, sees_personal: true, segments: &self.segments }
    }
}

/// The clock of a workspace.
pub(crate) fn timezone_of(settings: &Value) -> Tz {
    settings["timezone"].as_str().and_then(silence::timezone).unwrap_or(Tz::UTC)
}
