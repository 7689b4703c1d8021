import { Link, Outlet } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import { PageBody, PageHead } from '@/ui/basics';
import classes from './Messaging.module.css';

const TABS = [
  { to: '/messaging/inbox', label: 'Inbox', permission: 'leads:view' },
  { to: '/messaging/templates', label: 'Templates', permission: 'leads:view' },
  { to: '/messaging/channels', label: 'Channels', permission: 'messaging:send' },
  { to: '/messaging/sandbox', label: 'Sandbox', permission: 'pii:view' },
] as const;

export function MessagingPage() {
  const permits = usePermits();
  return (
    <PageBody>
      <PageHead title="Messaging" />
      <nav className={classes.tabs} aria-label="Messaging">
        {TABS.filter(({ permission }) => permits.can(permission)).map(({ to, label }) => (
          <Link key={to} to={to} activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
            {label}
          </Link>
        ))}
      </nav>
      <Outlet />
    </PageBody>
  );
}
