//! What somebody's role comes to: which role it is, how it is called, and what it lets them do.

use std::fmt;

use super::{Permission, Role};
use crate::ids::RoleId;

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// These.
    #[must_use]
    pub fn of(list: &[Permission]) -> Self {
        list.iter().copied().collect()
    }

    /// Those with these names. Names that nobody knows are left out: a permission may be gone since they were stored.
    #[must_use]
    pub fn named<S: AsRef<str>>(names: &[S]) -> Self {
        names.iter().filter_map(|name| Permission::parse(name.as_ref())).collect()
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Whether every one of them is among the others, too.
    #[must_use]
    pub const fn are_among(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.has(*permission))
    }

    /// Their names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Permission::as_str).collect()
    }
}

const fn bit(permission: Permission) -> u64 {
    1 << permission as u64
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, permission| set | bit(permission)))
    }
}

/// Which role: one that every workspace has, or one that a workspace made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoleKey {
    /// One of [`Role::ALL`].
    BuiltIn(Role),
    /// One of the workspace's own.
    Custom(RoleId),
}

impl RoleKey {
    /// The role that this names: a name of [`Role::ALL`], or the id of one of the workspace's own.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Role::parse(name).map(Self::BuiltIn).or_else(|| name.parse().ok().map(Self::Custom))
    }

    /// The id, of one that a workspace made.
    #[must_use]
    pub const fn custom(self) -> Option<RoleId> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Custom(id) => Some(id),
        }
    }
}

impl From<Role> for RoleKey {
    fn from(role: Role) -> Self {
        Self::BuiltIn(role)
    }
}

impl fmt::Display for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => role.fmt(f),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

/// A role with what it lets somebody do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Which role.
    pub role: RoleKey,
    /// How it is called on the screen.
    pub label: String,
    /// What it lets them do.
    pub permissions: Permissions,
}

impl Rights {
    /// Whether this may be done.
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Whether this is a super admin.
    #[must_use]
    pub fn is_super_admin(&self) -> bool {
        self.role == RoleKey::BuiltIn(Role::SuperAdmin)
    }

    /// Whether who has these rights may give or take those: nobody hands out more than they have, and only a super admin
    /// makes or unmakes super admins.
    #[must_use]
    pub fn may_grant(&self, others: &Self) -> bool {
        (self.is_super_admin() || !others.is_super_admin()) && others.permissions.are_among(self.permissions)
    }

    /// The same with no more than this. A super admin with less is none: whoever has a part of their permissions must not
    /// make super admins.
    #[must_use]
    pub fn narrowed(self, to: Permissions) -> Self {
        let permissions = self.permissions.and(to);
        let role = match self.role {
            RoleKey::BuiltIn(Role::SuperAdmin) if permissions != self.permissions => RoleKey::BuiltIn(Role::Admin),
            role @ (RoleKey::BuiltIn(_) | RoleKey::Custom(_)) => role,
        };
        Self { role, permissions, ..self }
    }

    /// What a token of this role may do for somebody with these rights: what both may. It counts as the lesser of the
    /// two.
    #[must_use]
    pub fn held_by(self, owner: &Self) -> Self {
        let is_less = owner.may_grant(&self);
        let named = if is_less { self.clone() } else { owner.clone() };
        let permissions = self.permissions.and(owner.permissions);
        named.narrowed(permissions)
    }
}

impl From<Role> for Rights {
    fn from(role: Role) -> Self {
        Self { role: role.into(), label: role.label().to_owned(), permissions: Permissions::of(role.permissions()) }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            RoleKey::BuiltIn(role) => role.fmt(f),
            RoleKey::Custom(_) => self.label.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn custom(permissions: &[Permission]) -> Rights {
        let role = RoleKey::Custom(RoleId(uuid::Uuid::from_u128(7)));
        Rights { role, label: "Night shift".to_owned(), permissions: Permissions::of(permissions) }
    }

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let set = Permissions::of(&[Permission::LeadsView, Permission::MessagingSend]);

        for permission in Permission::ALL {
            let is_in = matches!(permission, Permission::LeadsView | Permission::MessagingSend);
            assert_eq!(set.has(permission), is_in, "{permission}");
        }
        assert_eq!(set.names(), ["leads:view", "messaging:send"]);
        assert_eq!(Permissions::named(&["messaging:send", "leads:view", "gone:since"]), set);
        assert!(Permissions::NONE.is_empty() && Permissions::NONE.are_among(set) && !set.are_among(Permissions::NONE));
    }

    #[test]
    fn built_in_roles_grant_as_they_always_did() {
        for giver in Role::ALL {
            for given in Role::ALL {
                let rights = Rights::from(giver).may_grant(&Rights::from(given));
                assert_eq!(rights, giver.may_grant(given), "{giver} gives {given}");
            }
        }
    }

    #[rstest]
    #[case::what_one_has(Role::Agent.into(), custom(&[Permission::LeadsView]), true)]
    #[case::more_than_one_has(Role::Agent.into(), custom(&[Permission::LeadsView, Permission::AuditView]), false)]
    #[case::by_a_role_of_ones_own(custom(&[Permission::LeadsView]), Role::Viewer.into(), true)]
    #[case::beyond_it(custom(&[Permission::UsersManage]), Role::Viewer.into(), false)]
    #[case::all_but_super(custom(&Permission::ALL), Role::Admin.into(), true)]
    #[case::never_super(custom(&Permission::ALL), Role::SuperAdmin.into(), false)]
    fn nobody_hands_out_more_than_they_have(#[case] giver: Rights, #[case] given: Rights, #[case] expected: bool) {
        assert_eq!(giver.may_grant(&given), expected);
    }

    #[test]
    fn a_token_may_what_both_it_and_its_owner_may() {
        let token = Rights::from(Role::Admin);

        let of_an_agent = token.clone().held_by(&Role::Agent.into());
        let of_a_boss = token.held_by(&Role::SuperAdmin.into());

        assert_eq!(of_an_agent, Role::Agent.into());
        assert_eq!(of_a_boss, Role::Admin.into());
        let apart = custom(&[Permission::LeadsView, Permission::AuditView]).held_by(&Role::Agent.into());
        assert_eq!(apart.permissions, Permissions::of(&[Permission::LeadsView]));
    }

    #[test]
    fn a_super_admin_with_less_makes_no_super_admins() {
        let less = Rights::from(Role::SuperAdmin).narrowed(Permissions::of(&[Permission::UsersManage]));

        assert!(!less.is_super_admin() && !less.may_grant(&Role::SuperAdmin.into()));
        assert!(Rights::from(Role::SuperAdmin).narrowed(Permissions::of(&Permission::ALL)).is_super_admin());
    }

    #[test]
    fn keys_read_back() {
        let id = RoleId(uuid::Uuid::from_u128(7));

        assert_eq!(RoleKey::parse(&id.to_string()), Some(RoleKey::Custom(id)));
        assert_eq!(RoleKey::parse("agent"), Some(RoleKey::BuiltIn(Role::Agent)));
        assert_eq!(RoleKey::parse("boss"), None);
    }
}
