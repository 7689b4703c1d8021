import { Link, Outlet } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import { PageBody, PageHead } from '@/ui/basics';
import classes from './Settings.module.css';
import { TABS } from './tabs';

export function SettingsPage() {
  const permits = usePermits();
  return (
    <PageBody>
      <PageHead title="Settings" />
      <nav className={classes.tabs} aria-label="Settings">
        {TABS.filter(({ permission }) => permission === null || permits.can(permission)).map(({ tab, label }) => (
          <Link
            key={tab}
            to="/settings/$tab"
            params={{ tab }}
            activeProps={{ 'data-active': true, 'aria-current': 'page' }}
          >
            {label}
          </Link>
        ))}
        {permits.can('settings:view') && (
          <Link to="/settings/privacy" activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
            Privacy
          </Link>
        )}
        {permits.can('settings:view') && (
          <Link to="/settings/assignment" activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
            Assignment
          </Link>
        )}
        {permits.can('audit:view') && (
          <Link to="/settings/audit" activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
            Audit log
          </Link>
        )}
        {permits.can('settings:view') && (
          <Link to="/settings/ledger" activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
            Ledger
          </Link>
        )}
      </nav>
      <Outlet />
    </PageBody>
  );
}
