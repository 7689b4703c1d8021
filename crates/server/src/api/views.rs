//! What several answers have in common.

use leadline_store::Page;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, ApiResult};

/// A list that comes as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct All<T> {
    /// The rows.
    pub data: Vec<T>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Paged<T> {
    /// The rows of this page.
    pub data: Vec<T>,
    /// Which page this is; the first is 1.
    #[schema(example = 1)]
    pub page: i64,
    /// How many rows a page has.
    #[schema(example = 50)]
    pub limit: i64,
    /// How many rows there are in all, or where counting stopped.
    pub total: i64,
    /// Whether there are more than `total`.
    pub total_is_capped: bool,
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 1.
    pub page: Option<i64>,
    /// At most 200; 50 where it is absent.
    pub limit: Option<i64>,
}

/// A page that may be asked for.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// From 1.
    pub page: i64,
    /// From 1 to 200.
    pub limit: i64,
}

impl PageQuery {
    /// Checks what was asked for.
    pub fn window(self) -> ApiResult<Window> {
        let (page, limit) = (self.page.unwrap_or(1), self.limit.unwrap_or(50));
        if page < 1 {
            return Err(ApiError::field("/page", "must be at least 1"));
        }
        if !(1..=200).contains(&limit) {
            return Err(ApiError::field("/limit", "must be 1 to 200"));
        }
        Ok(Window { page, limit })
    }
}

impl Window {
    /// How many rows come before it.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.limit)
    }

    /// The answer for what the store found.
    #[must_use]
    pub fn paged<Row, View>(self, found: Page<Row>, view: impl FnMut(Row) -> View) -> Paged<View> {
        Paged {
            data: found.rows.into_iter().map(view).collect(),
            page: self.page,
            limit: self.limit,
            total: found.total,
            total_is_capped: found.total_is_capped,
        }
    }
}
