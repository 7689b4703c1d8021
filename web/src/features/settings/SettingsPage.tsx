import { Link, Outlet } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import { PageBody, PageHead } from '@/ui/basics';
import { MENU } from './menu';
import classes from './Settings.module.css';

export function SettingsPage() {
  const permits = usePermits();
  const groups = MENU.map(({ title, items }) => ({
    title,
    items: items.filter(({ permission }) => permission === null || permits.can(permission)),
  })).filter(({ items }) => items.length > 0);
  return (
    <PageBody>
      <PageHead title="Settings" />
      <div className={classes.page}>
        <nav className={classes.menu} aria-label="Settings">
          {groups.map(({ title, items }) => (
            <div key={title} className={classes.group}>
              <span className={classes.groupTitle}>{title}</span>
              {items.map(({ label, link }) => (
                <Link key={label} {...link} activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
                  {label}
                </Link>
              ))}
            </div>
          ))}
        </nav>
        <div className={classes.content}>
          <Outlet />
        </div>
      </div>
    </PageBody>
  );
}
