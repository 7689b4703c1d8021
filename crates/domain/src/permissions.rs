//! Who may do what: permissions, and the roles that carry them.
//!
//! A role is a set of permissions: one of those that every workspace has, or one that a workspace made. Which route
//! needs which permission stands in the route table of the server; [`rights`] has what somebody's role comes to.

mod rights;

use std::fmt;

pub use rights::{Permissions, Rights, RoleKey};

/// Something that a request may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See leads, masked without [`Permission::PiiView`].
    LeadsView,
    /// Make and change leads.
    LeadsManage,
    /// Delete and restore leads.
    LeadsDelete,
    /// See names, e-mail addresses and phone numbers in full.
    PiiView,
    /// Make and change forms, inbound webhooks, sites and projects.
    SourcesManage,
    /// See destinations and deliveries.
    DestinationsView,
    /// Make and change destinations.
    DestinationsManage,
    /// Send a delivery or dead letter again.
    DeliveriesReplay,
    /// See the workspace's settings.
    SettingsView,
    /// Change the workspace's settings.
    SettingsManage,
    /// Make and change users.
    UsersManage,
    /// See and revoke everybody's tokens.
    TokensManage,
    /// Read the audit log.
    AuditView,
    /// Send messages to leads.
    MessagingSend,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::LeadsView,
        Self::LeadsManage,
        Self::LeadsDelete,
        Self::PiiView,
        Self::SourcesManage,
        Self::DestinationsView,
        Self::DestinationsManage,
        Self::DeliveriesReplay,
        Self::SettingsView,
        Self::SettingsManage,
        Self::UsersManage,
        Self::TokensManage,
        Self::AuditView,
        Self::MessagingSend,
    ];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeadsView => "leads:view",
            Self::LeadsManage => "leads:manage",
            Self::LeadsDelete => "leads:delete",
            Self::PiiView => "pii:view",
            Self::SourcesManage => "sources:manage",
            Self::DestinationsView => "destinations:view",
            Self::DestinationsManage => "destinations:manage",
            Self::DeliveriesReplay => "deliveries:replay",
            Self::SettingsView => "settings:view",
            Self::SettingsManage => "settings:manage",
            Self::UsersManage => "users:manage",
            Self::TokensManage => "tokens:manage",
            Self::AuditView => "audit:view",
            Self::MessagingSend => "messaging:send",
        }
    }

    /// The permission of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }

    /// What it lets somebody do, in a few words for the screen.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::LeadsView => "See leads, contacts and the board",
            Self::LeadsManage => "Add, change and move leads, release quarantine",
            Self::LeadsDelete => "Delete and restore leads",
            Self::PiiView => "See names, e-mail addresses and phone numbers in full",
            Self::SourcesManage => "Set up forms, webhooks, widgets, sites and projects",
            Self::DestinationsView => "See destinations and deliveries",
            Self::DestinationsManage => "Set up destinations",
            Self::DeliveriesReplay => "Send deliveries again",
            Self::SettingsView => "See settings",
            Self::SettingsManage => "Change settings, pipelines, fields and scoring",
            Self::UsersManage => "Manage members, invitations and roles",
            Self::TokensManage => "See and end everybody's tokens",
            Self::AuditView => "Read the audit log",
            Self::MessagingSend => "Send messages to leads",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a member or a token is in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, including making other super admins.
    SuperAdmin,
    /// Everything else.
    Admin,
    /// Works with leads and sets up where they come from.
    Marketer,
    /// Works with leads.
    Agent,
    /// Looks at leads, with personal data masked.
    Viewer,
}

impl Role {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 5] = [Self::SuperAdmin, Self::Admin, Self::Marketer, Self::Agent, Self::Viewer];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::Admin => "admin",
            Self::Marketer => "marketer",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// Its name on the screen.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SuperAdmin => "Super Admin",
            Self::Admin => "Admin",
            Self::Marketer => "Marketer",
            Self::Agent => "Agent",
            Self::Viewer => "Viewer",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What it may do.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::SuperAdmin | Self::Admin => &Permission::ALL,
            Self::Marketer => &[
                Permission::LeadsView,
                Permission::LeadsManage,
                Permission::LeadsDelete,
                Permission::PiiView,
                Permission::SourcesManage,
                Permission::DestinationsView,
                Permission::SettingsView,
                Permission::MessagingSend,
            ],
            Self::Agent => {
                &[Permission::LeadsView, Permission::LeadsManage, Permission::PiiView, Permission::MessagingSend]
            }
            Self::Viewer => &[Permission::LeadsView],
        }
    }

    /// Whether it may do this.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }

    /// Whether who has this role may give or take `other`: nobody hands out more than they have, and only a super
    /// admin makes or unmakes super admins.
    #[must_use]
    pub fn may_grant(self, other: Self) -> bool {
        if other == Self::SuperAdmin {
            return self == Self::SuperAdmin;
        }
        other.permissions().iter().all(|permission| self.may(*permission))
    }
}

/// By what they may do: a role is less than another where all its permissions are among the other's. Super admin and
/// admin may do the same, and differ in [`Role::may_grant`], which puts the super admin above.
impl PartialOrd for Role {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self.may_grant(*other), other.may_grant(*self)) {
            (true, true) => Some(std::cmp::Ordering::Equal),
            (true, false) => Some(std::cmp::Ordering::Greater),
            (false, true) => Some(std::cmp::Ordering::Less),
            (false, false) => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn names_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Permission::parse("leads:everything"), None);
        assert_eq!(Role::parse("Super Admin"), None);
    }

    #[rstest]
    #[case(Role::SuperAdmin, 14)]
    #[case(Role::Admin, 14)]
    #[case(Role::Marketer, 8)]
    #[case(Role::Agent, 4)]
    #[case(Role::Viewer, 1)]
    fn each_role_has_its_permissions(#[case] role: Role, #[case] count: usize) {
        assert_eq!(role.permissions().len(), count);
        assert!(role.may(Permission::LeadsView));
        assert_eq!(role.may(Permission::PiiView), role != Role::Viewer);
        assert_eq!(role.may(Permission::UsersManage), matches!(role, Role::SuperAdmin | Role::Admin));
    }

    #[rstest]
    #[case(Role::SuperAdmin, Role::SuperAdmin, true)]
    #[case(Role::SuperAdmin, Role::Viewer, true)]
    #[case(Role::Admin, Role::SuperAdmin, false)]
    #[case(Role::Admin, Role::Admin, true)]
    #[case(Role::Marketer, Role::Admin, false)]
    #[case(Role::Marketer, Role::Agent, true)]
    #[case(Role::Agent, Role::Marketer, false)]
    #[case(Role::Viewer, Role::Viewer, true)]
    fn nobody_hands_out_more_than_they_have(#[case] giver: Role, #[case] given: Role, #[case] expected: bool) {
        assert_eq!(giver.may_grant(given), expected);
    }

    #[test]
    fn roles_are_ordered_by_what_they_may_do() {
        for pair in Role::ALL.windows(2) {
            assert!(pair[0] > pair[1], "{} stands above {}", pair[0], pair[1]);
        }
    }
}
