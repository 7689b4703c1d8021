//! What lists of leads are sorted by.
//!
//! The keys that have an index are walked from its end. Any other key is sorted out of the newest leads that match,
//! which for all but the largest workspaces are all of them.

use leadline_domain::filters::Kind;

use crate::{
    dialect::Dialect,
    sql::{IntoParam, Param},
    walk::Direction,
};

/// What a list is sorted by. What has no value comes last in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SortBy {
    /// When the lead came.
    #[default]
    CreatedAt,
    /// When it was changed last.
    UpdatedAt,
    /// When its person sent something last.
    LastSubmissionAt,
    /// Its name, without regard to case.
    Name,
    /// Its score.
    Score,
    /// Its e-mail address.
    Email,
    /// Its phone number.
    Phone,
    /// The company, without regard to case.
    Company,
    /// The person's title, without regard to case.
    Title,
    /// The name of its source.
    Source,
    /// Its stage, by the stage's place on the board.
    Stage,
    /// The name of whose lead it is.
    AssignedTo,
    /// Its engagement.
    Engagement,
    /// Its suspicion.
    Suspicion,
    /// How often its person sent something.
    SubmissionCount,
    /// When it came into its stage.
    StageEnteredAt,
    /// When it was converted.
    ConvertedAt,
    /// A custom field.
    Custom {
        /// Its key.
        key: String,
        /// As what its values are compared.
        kind: Kind,
    },
}

/// In which direction a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortOrder {
    /// The least first.
    Ascending,
    /// The greatest first.
    #[default]
    Descending,
}

impl From<Direction> for SortOrder {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Up => Self::Ascending,
            Direction::Down => Self::Descending,
        }
    }
}

impl SortOrder {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }
}

impl SortBy {
    /// Whether an index has leads in this order.
    pub(super) fn has_index(&self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt | Self::LastSubmissionAt | Self::Name | Self::Score)
    }

    /// The key as SQL, on rows that are called `leads`.
    pub(super) fn key(&self, dialect: Dialect, params: &mut Vec<Param>) -> String {
        let key = match self {
            Self::CreatedAt => "leads.created_at",
            Self::UpdatedAt => "leads.updated_at",
            Self::LastSubmissionAt => "leads.last_submission_at",
            Self::Name => "lower(leads.name)",
            Self::Score => "leads.score",
            Self::Email => "leads.email",
            Self::Phone => "leads.phone",
            Self::Company => "lower(leads.company)",
            Self::Title => "lower(leads.title)",
            Self::Source => "lower(leads.source_name)",
            Self::Stage => "(SELECT s.position FROM lead_pipeline_stages AS s WHERE s.id = leads.stage_id)",
            Self::AssignedTo => "(SELECT lower(u.name) FROM users AS u WHERE u.id = leads.assigned_to)",
            Self::Engagement => "leads.engagement",
            Self::Suspicion => "leads.suspicion",
            Self::SubmissionCount => "leads.submission_count",
            Self::StageEnteredAt => "leads.stage_entered_at",
            Self::ConvertedAt => "leads.converted_at",
            Self::Custom { key, kind } => {
                params.push(dialect.json_key(key).param());
                let text = dialect.json_text_under("leads.custom_fields", params.len());
                return match kind {
                    Kind::Number => dialect.number_under("leads.custom_fields", params.len()),
                    Kind::Day => dialect.day_of(&text),
                    Kind::Text | Kind::Whole | Kind::Time | Kind::Choice | Kind::Id | Kind::Set | Kind::Flag => {
                        dialect.folded(&text)
                    }
                };
            }
        };
        key.to_owned()
    }

    /// The columns of `leads` that the key is made of.
    pub(super) fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::CreatedAt => &["created_at"],
            Self::UpdatedAt => &["updated_at"],
            Self::LastSubmissionAt => &["last_submission_at"],
            Self::Name => &["name"],
            Self::Score => &["score"],
            Self::Email => &["email"],
            Self::Phone => &["phone"],
            Self::Company => &["company"],
            Self::Title => &["title"],
            Self::Source => &["source_name"],
            Self::Stage => &["stage_id"],
            Self::AssignedTo => &["assigned_to"],
            Self::Engagement => &["engagement"],
            Self::Suspicion => &["suspicion"],
            Self::SubmissionCount => &["submission_count"],
            Self::StageEnteredAt => &["stage_entered_at"],
            Self::ConvertedAt => &["converted_at"],
            Self::Custom { .. } => &["custom_fields"],
        }
    }
}
