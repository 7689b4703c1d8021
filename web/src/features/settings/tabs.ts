export const TABS = [
  { tab: 'workspace', label: 'Workspace', permission: 'settings:view' },
  { tab: 'pipelines', label: 'Pipelines', permission: 'settings:view' },
  { tab: 'fields', label: 'Custom fields', permission: 'settings:view' },
  { tab: 'scoring', label: 'Scoring', permission: 'settings:view' },
  { tab: 'fraud', label: 'Fraud', permission: 'settings:view' },
  { tab: 'analysis', label: 'Analysis', permission: 'settings:view' },
  { tab: 'alerts', label: 'Alerts', permission: 'settings:view' },
  { tab: 'users', label: 'Users', permission: 'users:manage' },
  { tab: 'roles', label: 'Roles', permission: 'settings:view' },
  { tab: 'tokens', label: 'API tokens', permission: null },
  { tab: 'sessions', label: 'Security', permission: null },
] as const;
