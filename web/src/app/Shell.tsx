import { ActionIcon, Button, Kbd, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys, useNetwork } from '@mantine/hooks';
import {
  IconAddressBook,
  IconArrowBarToRight,
  IconBolt,
  IconChartBar,
  IconChartPie,
  IconChecklist,
  IconChevronDown,
  IconInbox,
  IconLayoutKanban,
  IconMessages,
  IconSearch,
  IconSettings,
  IconShield,
  IconSpeakerphone,
  IconUserCircle,
  IconUsers,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useEffect, useRef } from 'react';
import { hasStartedOver } from '@/api/client';
import { usePermits, useSession } from '@/api/session';
import { AlertsBell } from '@/features/alerts/AlertsBell';
import { askAddLead, openPalette } from '@/lib/commands';
import { markSettled, useSettled } from '@/lib/settled';
import { Logo } from '@/ui/Logo';
import { FromFirstUse, later, OnDemand } from '@/ui/onDemand';
import { toast } from '@/ui/toast';
import { FocusKeeper } from './FocusKeeper';
import { Palette } from './Palette';
import classes from './Shell.module.css';
import { useLive } from './useLive';

const EnrolPage = lazy(() => import('@/features/session/EnrolPage'));
const JobsStrip = later(() => import('@/features/jobs/JobsStrip'));
const Hints = later(() => import('@/ui/Hints'));
const AccountMenu = later(() => import('./AccountMenu'));
const WorkspaceList = later(() => import('./WorkspaceList'));
const ShortcutSheet = later(() => import('./ShortcutSheet'));

/** On a phone there is room for six; the wide ones are in the account's menu there. */
const NAV = [
  { to: '/board', label: 'Board', icon: IconLayoutKanban, permission: 'leads:view' },
  { to: '/leads', label: 'Leads', icon: IconUsers, permission: 'leads:view' },
  { to: '/tasks', label: 'Tasks', icon: IconChecklist, permission: 'leads:view' },
  { to: '/contacts', label: 'Contacts', icon: IconAddressBook, permission: 'leads:view' },
  { to: '/segments', label: 'Segments', icon: IconChartPie, permission: 'leads:view', wideOnly: true },
  { to: '/messaging', label: 'Messaging', icon: IconMessages, permission: 'leads:view', wideOnly: true },
  { to: '/campaigns', label: 'Campaigns', icon: IconSpeakerphone, permission: 'leads:view', wideOnly: true },
  { to: '/automations', label: 'Automations', icon: IconBolt, permission: 'leads:view', wideOnly: true },
  { to: '/reports', label: 'Reports', icon: IconChartBar, permission: 'leads:view', wideOnly: true },
  { to: '/sources', label: 'Sources', icon: IconInbox, permission: 'leads:view' },
  { to: '/fraud', label: 'Fraud desk', icon: IconShield, permission: 'leads:view', wideOnly: true },
  {
    to: '/destinations',
    label: 'Destinations',
    icon: IconArrowBarToRight,
    permission: 'destinations:view',
    wideOnly: true,
  },
  { to: '/settings', label: 'Settings', icon: IconSettings, permission: null },
] as const;

const CHORD_MS = 1200;
/** How long nothing must be asked for; the first moments are for what somebody does on the screen that is there. */
const QUIET_MS = 600;
/** How often is looked whether the first screen is there, and when it is no longer waited for. */
const SETTLING_MS = 150;
const SETTLED_AT_LAST_MS = 6_000;

export function Shell() {
  const session = useSession();
  const otherVersion = useLive(session.version);
  const { online } = useNetwork();
  const [sheet, sheetControl] = useDisclosure(false);
  useSettles();
  useShellKeys(sheetControl.open);
  const workspace = session.workspace.name;
  useEffect(() => {
    if (hasStartedOver()) toast(`Another window went on in ${workspace}, and this one goes along`);
  }, [workspace]);
  // Until then the server answers nothing else.
  if (session.needsSecondFactor && !session.hasSecondFactor) {
    return (
      <Suspense fallback={null}>
        <EnrolPage />
      </Suspense>
    );
  }
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        Skip to the content
      </a>
      <Sidebar />
      <div className={classes.main}>
        <TopBar />
        {!online && (
          <div className={classes.banner} role="status">
            You are offline. What is shown may be old, and changes cannot be saved.
          </div>
        )}
        {otherVersion && (
          <div className={classes.banner} role="status">
            Leadline was updated to {otherVersion}.
            <Button variant="default" size="compact-xs" onClick={() => window.location.reload()}>
              Reload
            </Button>
          </div>
        )}
        <Afterwards>
          <JobsStrip />
        </Afterwards>
        <main id="content" className={classes.content} tabIndex={-1} data-focus-silent>
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Palette />
      <Afterwards>
        <Hints />
      </Afterwards>
      <FocusKeeper />
      <FromFirstUse isOpen={sheet}>
        {(opened) => <ShortcutSheet opened={opened} onClose={sheetControl.close} />}
      </FromFirstUse>
    </div>
  );
}

/** Fetches what no first look needs once no answer is waited for. */
function useSettles() {
  const client = useQueryClient();
  useEffect(() => {
    const until = Date.now() + SETTLED_AT_LAST_MS;
    let quietSince = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      if (client.isFetching() > 0) quietSince = now;
      if (now - quietSince < QUIET_MS && now < until) return;
      clearInterval(timer);
      markSettled();
    }, SETTLING_MS);
    return () => clearInterval(timer);
  }, [client]);
}

/** What is drawn once the first screen is there. */
function Afterwards({ children }: { children: ReactNode }) {
  const settled = useSettled();
  return <Suspense fallback={null}>{settled && children}</Suspense>;
}

function useNav() {
  const permits = usePermits();
  return NAV.filter(({ permission }) => permission === null || permits.can(permission));
}

/** A wide screen has a sidebar, a phone the same nouns at the bottom. */
function Sidebar() {
  const items = useNav();
  return (
    <nav className={classes.nav} aria-label="Main">
      <WorkspaceMenu />
      {items.map(({ to, label, icon: Icon, ...rest }) => (
        <Link
          key={to}
          to={to}
          className={classes.navItem}
          data-wide-only={'wideOnly' in rest || undefined}
          activeProps={{ 'data-active': true, 'aria-current': 'page' }}
        >
          <Icon size={18} stroke={1.6} aria-hidden="true" />
          <span>{label}</span>
        </Link>
      ))}
    </nav>
  );
}

function WorkspaceMenu() {
  const session = useSession();
  const brand = (
    <>
      <Logo size={20} />
      <span className={classes.brandName}>{session.workspace.name}</span>
    </>
  );
  if (session.workspaces.length < 2) return <div className={classes.brand}>{brand}</div>;
  return (
    <OnDemand menu={(control) => <WorkspaceList>{control}</WorkspaceList>}>
      <UnstyledButton className={classes.brand}>
        {brand}
        <IconChevronDown size={14} aria-hidden="true" />
        <span className="visually-hidden">Change the workspace</span>
      </UnstyledButton>
    </OnDemand>
  );
}

function TopBar() {
  const session = useSession();
  return (
    <header className={classes.top}>
      <Logo className={classes.topLogo} size={22} />
      <UnstyledButton className={classes.search} onClick={openPalette}>
        <IconSearch size={15} aria-hidden="true" />
        <span>Find a lead or an action</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </UnstyledButton>
      <span className={classes.topEnd}>
        {session.workspace.environment !== 'production' && (
          <span className={classes.environment}>{session.workspace.environment}</span>
        )}
        {session.demo && <span className={classes.environment}>Demo</span>}
        <AlertsBell />
        <UserMenu />
      </span>
    </header>
  );
}

function UserMenu() {
  const session = useSession();
  const pages = useNav().filter((item) => 'wideOnly' in item);
  return (
    <OnDemand menu={(control) => <AccountMenu pages={pages}>{control}</AccountMenu>}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${session.user.name}`}>
        <IconUserCircle size={22} stroke={1.6} />
      </ActionIcon>
    </OnDemand>
  );
}

function useShellKeys(openSheet: () => void) {
  const navigate = useNavigate();
  const permits = usePermits();
  const chordAt = useRef(0);
  /** The second key of a chord goes to a page, and ends it. */
  const goOn = (go: () => Promise<void>) => {
    if (Date.now() - chordAt.current >= CHORD_MS) return false;
    chordAt.current = 0;
    void go();
    return true;
  };
  useHotkeys([
    ['mod+K', openPalette],
    ['/', focusSearch],
    ['shift+?', openSheet],
    ['?', openSheet],
    [
      'c',
      () => {
        if (goOn(() => navigate({ to: '/campaigns' }))) return;
        if (permits.can('leads:manage') && !askAddLead()) void navigate({ to: '/board' });
      },
    ],
    [
      'g',
      () => {
        chordAt.current = Date.now();
      },
    ],
    ['b', () => goOn(() => navigate({ to: '/board' }))],
    ['l', () => goOn(() => navigate({ to: '/leads' }))],
    ['t', () => goOn(() => navigate({ to: '/tasks' }))],
    ['i', () => goOn(() => navigate({ to: '/messaging/inbox' }))],
    ['a', () => goOn(() => navigate({ to: '/automations' }))],
  ]);
  useEffect(() => {
    document.title = 'Leadline';
  }, []);
}

/** The search of the page when it has one, else the one over everything. */
function focusSearch() {
  const own = document.querySelector<HTMLInputElement>('input[data-page-search]');
  if (own) own.focus();
  else openPalette();
}
