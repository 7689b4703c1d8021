import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { usePermits } from '@/api/session';
import { PageBody, PageHead } from '@/ui/basics';
import { MENU } from './menu';
import classes from './Settings.module.css';

export function SettingsPage() {
  const permits = usePermits();
  const { pathname } = useLocation();
  const menu = useRef<HTMLElement>(null);
  // On a phone the menu is a row to swipe through; what is open may lie outside.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is another place in the row
  useEffect(() => {
    menu.current?.querySelector('[aria-current=page]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [pathname]);
  const groups = MENU.map(({ title, items }) => ({
    title,
    items: items.filter(({ permission }) => permission === null || permits.can(permission)),
  })).filter(({ items }) => items.length > 0);
  return (
    <PageBody>
      <PageHead title="Settings" />
      <div className={classes.page}>
        <nav ref={menu} className={classes.menu} aria-label="Settings">
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
