import { ActionIcon, Button, Kbd, Menu, Modal, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys, useNetwork } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import {
  IconAddressBook,
  IconArrowBarToRight,
  IconBolt,
  IconChartBar,
  IconChartPie,
  IconCheck,
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
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouter } from '@tanstack/react-router';
import { Suspense, useEffect, useRef } from 'react';
import { api } from '@/api/client';
import { remember, sessionQuery, usePermits, useSession } from '@/api/session';
import type { Session } from '@/api/shapes';
import { AlertsBell } from '@/features/alerts/AlertsBell';
import { JobsStrip } from '@/features/jobs/JobsStrip';
import { ChangePassword } from '@/features/session/ChangePassword';
import { EnrolPage } from '@/features/session/EnrolPage';
import { askAddLead } from '@/lib/commands';
import { toastError } from '@/ui/toast';
import { Palette } from './Palette';
import classes from './Shell.module.css';
import { SHORTCUTS } from './shortcuts';
import { ThemeMenu } from './ThemeMenu';
import { useLive } from './useLive';

const NAV = [
  { to: '/board', label: 'Board', icon: IconLayoutKanban, permission: 'leads:view' },
  { to: '/leads', label: 'Leads', icon: IconUsers, permission: 'leads:view' },
  { to: '/tasks', label: 'Tasks', icon: IconChecklist, permission: 'leads:view' },
  { to: '/contacts', label: 'Contacts', icon: IconAddressBook, permission: 'leads:view' },
  { to: '/segments', label: 'Segments', icon: IconChartPie, permission: 'leads:view', wideOnly: true },
  { to: '/messaging', label: 'Messaging', icon: IconMessages, permission: 'leads:view', wideOnly: true },
  { to: '/campaigns', label: 'Campaigns', icon: IconSpeakerphone, permission: 'leads:view', wideOnly: true },
  { to: '/automations', label: 'Automations', icon: IconBolt, permission: 'leads:view', wideOnly: true },
  // On a phone it is in the account's menu.
  { to: '/reports', label: 'Reports', icon: IconChartBar, permission: 'leads:view', wideOnly: true },
  { to: '/sources', label: 'Sources', icon: IconInbox, permission: 'leads:view' },
  // On a phone there is room for six: this one is linked from its settings there, destinations are found by search.
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

export function Shell() {
  const session = useSession();
  const otherVersion = useLive(session.version);
  const { online } = useNetwork();
  const [sheet, sheetControl] = useDisclosure(false);
  useShellKeys(sheetControl.open);
  // Until then the server answers nothing else.
  if (session.needsSecondFactor && !session.hasSecondFactor) return <EnrolPage />;
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
        <JobsStrip />
        <main id="content" className={classes.content} tabIndex={-1} data-focus-silent>
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Palette />
      <ShortcutSheet opened={sheet} onClose={sheetControl.close} />
    </div>
  );
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
  const client = useQueryClient();
  const router = useRouter();
  const change = useMutation({
    mutationFn: (workspaceId: string) => api.patch<Session>('/v1/session', { workspaceId }),
    onSuccess: (next) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
      client.setQueryData(sessionQuery.queryKey, remember(next));
      void router.navigate({ to: '/board' });
    },
    onError: (error) => toastError('The workspace was not changed', error),
  });
  const brand = (
    <>
      <img src="/favicon.svg" alt="" width={20} height={20} />
      <span className={classes.brandName}>{session.workspace.name}</span>
    </>
  );
  if (session.workspaces.length < 2) return <div className={classes.brand}>{brand}</div>;
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        <UnstyledButton className={classes.brand}>
          {brand}
          <IconChevronDown size={14} aria-hidden="true" />
          <span className="visually-hidden">Change the workspace</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Workspaces</Menu.Label>
        {session.workspaces.map(({ id, name }) => (
          <Menu.Item
            key={id}
            rightSection={id === session.workspace.id && <IconCheck size={14} aria-label="Current" />}
            onClick={() => id !== session.workspace.id && change.mutate(id)}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function TopBar() {
  const session = useSession();
  return (
    <header className={classes.top}>
      <img className={classes.topLogo} src="/favicon.svg" alt="" width={22} height={22} />
      <UnstyledButton className={classes.search} onClick={spotlight.open}>
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
  const client = useQueryClient();
  const navigate = useNavigate();
  const [changing, changingControl] = useDisclosure(false);
  const signOut = useMutation({
    mutationFn: () => api.delete('/v1/session'),
    onSuccess: async () => {
      await navigate({ to: '/sign-in' });
      client.clear();
    },
    onError: (error) => toastError('You were not signed out', error),
  });
  return (
    <>
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${session.user.name}`}>
            <IconUserCircle size={22} stroke={1.6} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <div className={classes.who}>
            <Text size="sm" fw={600}>
              {session.user.name}
            </Text>
            <Text size="xs" c="dimmed">
              {session.user.email} · {session.roleLabel}
            </Text>
          </div>
          <Menu.Divider />
          <ThemeMenu />
          <Menu.Divider />
          <Menu.Item component={Link} to="/reports">
            Reports
          </Menu.Item>
          <Menu.Item component={Link} to="/jobs">
            Recent jobs
          </Menu.Item>
          {session.hasPassword && <Menu.Item onClick={changingControl.open}>Change the password</Menu.Item>}
          <Menu.Item onClick={() => signOut.mutate()}>Sign out</Menu.Item>
          <Menu.Divider />
          <Menu.Label>Leadline {session.version}</Menu.Label>
        </Menu.Dropdown>
      </Menu>
      <ChangePassword opened={changing} onClose={changingControl.close} />
    </>
  );
}

function useShellKeys(openSheet: () => void) {
  const navigate = useNavigate();
  const permits = usePermits();
  const chordAt = useRef(0);
  const inChord = () => Date.now() - chordAt.current < CHORD_MS;
  useHotkeys([
    ['/', () => focusSearch()],
    ['shift+?', openSheet],
    ['?', openSheet],
    [
      'c',
      () => {
        if (permits.can('leads:manage') && !askAddLead()) void navigate({ to: '/board' });
      },
    ],
    [
      'g',
      () => {
        chordAt.current = Date.now();
      },
    ],
    ['b', () => inChord() && void navigate({ to: '/board' })],
    ['l', () => inChord() && void navigate({ to: '/leads' })],
    ['t', () => inChord() && void navigate({ to: '/tasks' })],
  ]);
  useEffect(() => {
    document.title = 'Leadline';
  }, []);
}

/** The search of the page when it has one, else the one over everything. */
function focusSearch() {
  const own = document.querySelector<HTMLInputElement>('input[data-page-search]');
  if (own) own.focus();
  else spotlight.open();
}

function ShortcutSheet({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys">
      {SHORTCUTS.map(({ title, shortcuts }) => (
        <section key={title}>
          <Text size="sm" fw={600} mt="sm" mb={4}>
            {title}
          </Text>
          {shortcuts.map(({ keys, does }) => (
            <div key={does} className={classes.shortcut}>
              <span>{does}</span>
              <span>
                {keys.map((key) => (
                  <Kbd key={key} size="xs" ml={4}>
                    {key}
                  </Kbd>
                ))}
              </span>
            </div>
          ))}
        </section>
      ))}
    </Modal>
  );
}
