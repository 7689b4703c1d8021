import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { Problem } from '@/api/problem';
import { sessionQuery } from '@/api/session';
import { readRunSearch } from '@/features/automations/search';
import { readCampaignSearch, readCampaignsSearch } from '@/features/campaigns/words';
import { readContactsSearch } from '@/features/contacts/search';
import { readDeliveriesSearch } from '@/features/destinations/search';
import { readFraudSearch } from '@/features/fraud/search';
import { readJobSearch } from '@/features/jobs/search';
import { BoardPage } from '@/features/leads/BoardPage';
import { readBoardSearch, readFilters, readTableSearch } from '@/features/leads/filters';
import { readDuplicateSearch } from '@/features/leads/merging';
import { boardQuery } from '@/features/leads/queries';
import { readLedgerSearch } from '@/features/ledger/queries';
import { readInboxSearch } from '@/features/messaging/search';
import { readPrivacySearch } from '@/features/privacy/search';
import { readReportsSearch } from '@/features/reports/search';
import { readSignInSearch } from '@/features/session/search';
import { readAuditSearch } from '@/features/settings/auditSearch';
import { readTasksSearch } from '@/features/tasks/search';
import { firstAnswer } from '@/lib/settled';
import { CrashPage, NotFoundPage } from './Fallbacks';
import { Shell } from './Shell';

interface RouterContext {
  client: QueryClient;
}

/** Only a path of this site may be returned to. */
export const safeNext = (next: unknown): string | undefined =>
  typeof next === 'string' && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : undefined;

const nextOf = (raw: Record<string, unknown>): { next?: string } => {
  const next = safeNext(raw.next);
  return next ? { next } : {};
};

const root = createRootRouteWithContext<RouterContext>()({ component: Outlet, notFoundComponent: NotFoundPage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Record<string, unknown>) => ({ ...readSignInSearch(raw), ...nextOf(raw) }),
  component: lazyRouteComponent(() => import('@/features/session/SignInPage'), 'SignInPage'),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('@/features/session/SetupPage'), 'SetupPage'),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('@/features/session/InvitationPage'), 'InvitationPage'),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(sessionQuery);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        const next = location.pathname === '/' ? undefined : location.href;
        throw redirect({ to: '/sign-in', search: { next } });
      }
      throw error;
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/board', replace: true });
  },
});

const board = createRoute({
  getParentRoute: () => shell,
  path: '/board',
  validateSearch: readBoardSearch,
  loaderDeps: ({ search }) => readFilters({ ...search }),
  loader: ({ context, deps }) => firstAnswer(context.client.prefetchQuery(boardQuery(deps))),
  // Not lazy: it is what most people open, and its script would only be asked for once this one has run.
  component: BoardPage,
});

const leads = createRoute({
  getParentRoute: () => shell,
  path: '/leads',
  validateSearch: readTableSearch,
  component: lazyRouteComponent(() => import('@/features/leads/TablePage'), 'TablePage'),
});

const lead = createRoute({
  getParentRoute: () => shell,
  path: '/leads/$leadId',
  component: lazyRouteComponent(() => import('@/features/leads/LeadPage'), 'LeadPage'),
});

const tasks = createRoute({
  getParentRoute: () => shell,
  path: '/tasks',
  validateSearch: readTasksSearch,
  component: lazyRouteComponent(() => import('@/features/tasks/TasksPage'), 'TasksPage'),
});

const contacts = createRoute({
  getParentRoute: () => shell,
  path: '/contacts',
  validateSearch: readContactsSearch,
  component: lazyRouteComponent(() => import('@/features/contacts/ContactsPage'), 'ContactsPage'),
});

const duplicates = createRoute({
  getParentRoute: () => shell,
  path: '/duplicates',
  validateSearch: readDuplicateSearch,
  component: lazyRouteComponent(() => import('@/features/leads/DuplicatesPage'), 'DuplicatesPage'),
});

const jobs = createRoute({
  getParentRoute: () => shell,
  path: '/jobs',
  validateSearch: readJobSearch,
  component: lazyRouteComponent(() => import('@/features/jobs/JobsPage'), 'JobsPage'),
});

const job = createRoute({
  getParentRoute: () => shell,
  path: '/jobs/$jobId',
  validateSearch: readJobSearch,
  component: lazyRouteComponent(() => import('@/features/jobs/JobPage'), 'JobPage'),
});

const contact = createRoute({
  getParentRoute: () => shell,
  path: '/contacts/$contactId',
  component: lazyRouteComponent(() => import('@/features/contacts/ContactPage'), 'ContactPage'),
});

const segments = createRoute({
  getParentRoute: () => shell,
  path: '/segments',
  component: lazyRouteComponent(() => import('@/features/leads/SegmentsPage'), 'SegmentsPage'),
});

const newSegment = createRoute({
  getParentRoute: () => shell,
  path: '/segments/new',
  component: lazyRouteComponent(() => import('@/features/leads/SegmentPage'), 'NewSegmentPage'),
});

const segment = createRoute({
  getParentRoute: () => shell,
  path: '/segments/$segmentId',
  component: lazyRouteComponent(() => import('@/features/leads/SegmentPage'), 'SegmentPage'),
});

const automations = createRoute({
  getParentRoute: () => shell,
  path: '/automations',
  component: lazyRouteComponent(() => import('@/features/automations/AutomationsPage'), 'AutomationsPage'),
});

const newAutomation = createRoute({
  getParentRoute: () => shell,
  path: '/automations/new',
  component: lazyRouteComponent(() => import('@/features/automations/AutomationPage'), 'NewAutomationPage'),
});

const automation = createRoute({
  getParentRoute: () => shell,
  path: '/automations/$automationId',
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import('@/features/automations/AutomationPage'), 'AutomationPage'),
});

const campaigns = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns',
  validateSearch: readCampaignsSearch,
  component: lazyRouteComponent(() => import('@/features/campaigns/CampaignsPage'), 'CampaignsPage'),
});

const newCampaign = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/new',
  component: lazyRouteComponent(() => import('@/features/campaigns/CampaignPage'), 'NewCampaignPage'),
});

const campaign = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/$campaignId',
  validateSearch: readCampaignSearch,
  component: lazyRouteComponent(() => import('@/features/campaigns/CampaignPage'), 'CampaignPage'),
});

const reports = createRoute({
  getParentRoute: () => shell,
  path: '/reports',
  validateSearch: readReportsSearch,
  component: lazyRouteComponent(() => import('@/features/reports/ReportsPage'), 'ReportsPage'),
});

const fraud = createRoute({
  getParentRoute: () => shell,
  path: '/fraud',
  validateSearch: readFraudSearch,
  component: lazyRouteComponent(() => import('@/features/fraud/FraudPage'), 'FraudPage'),
});

const imports = createRoute({
  getParentRoute: () => shell,
  path: '/imports',
  validateSearch: (raw: Record<string, unknown>): { page?: number } => {
    const page = Number(raw.page);
    return Number.isInteger(page) && page > 1 ? { page } : {};
  },
  component: lazyRouteComponent(() => import('@/features/imports/ImportsPage'), 'ImportsPage'),
});

const oneImport = createRoute({
  getParentRoute: () => shell,
  path: '/imports/$importId',
  component: lazyRouteComponent(() => import('@/features/imports/ImportPage'), 'ImportPage'),
});

const sources = createRoute({
  getParentRoute: () => shell,
  path: '/sources',
  component: lazyRouteComponent(() => import('@/features/sources/SourcesPage'), 'SourcesPage'),
});

const widget = createRoute({
  getParentRoute: () => shell,
  path: '/widgets/$widgetId',
  component: lazyRouteComponent(() => import('@/features/sources/WidgetPage'), 'WidgetPage'),
});

const captures = createRoute({
  getParentRoute: () => shell,
  path: '/captures',
  validateSearch: (raw: Record<string, unknown>): { widget?: string } =>
    typeof raw.widget === 'string' && raw.widget ? { widget: raw.widget } : {},
  component: lazyRouteComponent(() => import('@/features/sources/CapturesPage'), 'CapturesPage'),
});

const webhook = createRoute({
  getParentRoute: () => shell,
  path: '/sources/webhooks/$webhookId',
  validateSearch: (raw: Record<string, unknown>): { tab?: 'facebook'; request?: string } => ({
    ...(raw.tab === 'facebook' ? { tab: raw.tab } : {}),
    ...(typeof raw.request === 'string' && raw.request ? { request: raw.request } : {}),
  }),
  component: lazyRouteComponent(() => import('@/features/sources/WebhookPage'), 'WebhookPage'),
});

const destinations = createRoute({
  getParentRoute: () => shell,
  path: '/destinations',
  validateSearch: readDeliveriesSearch,
  component: lazyRouteComponent(() => import('@/features/destinations/DestinationsPage'), 'DestinationsPage'),
});

const destination = createRoute({
  getParentRoute: () => shell,
  path: '/destinations/$destinationId',
  validateSearch: readDeliveriesSearch,
  component: lazyRouteComponent(() => import('@/features/destinations/DestinationPage'), 'DestinationPage'),
});

const delivery = createRoute({
  getParentRoute: () => shell,
  path: '/deliveries/$deliveryId',
  component: lazyRouteComponent(() => import('@/features/destinations/DeliveryPage'), 'DeliveryPage'),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('@/features/settings/SettingsPage'), 'SettingsPage'),
});

const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/$tab', params: { tab: 'workspace' }, replace: true });
  },
});

const assignment = createRoute({
  getParentRoute: () => settings,
  path: 'assignment',
  component: lazyRouteComponent(() => import('@/features/leads/AssignmentPage'), 'AssignmentPage'),
});

const ledger = createRoute({
  getParentRoute: () => settings,
  path: 'ledger',
  validateSearch: readLedgerSearch,
  component: lazyRouteComponent(() => import('@/features/ledger/LedgerPage'), 'LedgerPage'),
});

const audit = createRoute({
  getParentRoute: () => settings,
  path: 'audit',
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import('@/features/settings/AuditLog'), 'AuditLog'),
});

const privacy = createRoute({
  getParentRoute: () => settings,
  path: 'privacy',
  validateSearch: readPrivacySearch,
  component: lazyRouteComponent(() => import('@/features/privacy/PrivacyPage'), 'PrivacyPage'),
});

const settingsTab = createRoute({
  getParentRoute: () => settings,
  path: '$tab',
  component: lazyRouteComponent(() => import('@/features/settings/SettingsTab'), 'SettingsTab'),
});

const messaging = createRoute({
  getParentRoute: () => shell,
  path: '/messaging',
  component: lazyRouteComponent(() => import('@/features/messaging/MessagingPage'), 'MessagingPage'),
});

const messagingHome = createRoute({
  getParentRoute: () => messaging,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/messaging/inbox', replace: true });
  },
});

const inbox = createRoute({
  getParentRoute: () => messaging,
  path: 'inbox',
  validateSearch: readInboxSearch,
  component: lazyRouteComponent(() => import('@/features/messaging/InboxPage'), 'InboxPage'),
});

const messageTemplates = createRoute({
  getParentRoute: () => messaging,
  path: 'templates',
  component: lazyRouteComponent(() => import('@/features/messaging/TemplatesPage'), 'TemplatesPage'),
});

const channels = createRoute({
  getParentRoute: () => messaging,
  path: 'channels',
  component: lazyRouteComponent(() => import('@/features/messaging/ChannelsPage'), 'ChannelsPage'),
});

const sandbox = createRoute({
  getParentRoute: () => messaging,
  path: 'sandbox',
  component: lazyRouteComponent(() => import('@/features/messaging/SandboxPage'), 'SandboxPage'),
});

const routeTree = root.addChildren([
  signIn,
  setup,
  invitation,
  shell.addChildren([
    home,
    board,
    leads,
    lead,
    tasks,
    contacts,
    duplicates,
    jobs,
    job,
    contact,
    segments,
    newSegment,
    segment,
    automations,
    newAutomation,
    automation,
    campaigns,
    newCampaign,
    campaign,
    reports,
    fraud,
    imports,
    oneImport,
    sources,
    widget,
    captures,
    webhook,
    destinations,
    destination,
    delivery,
    settings.addChildren([settingsHome, assignment, ledger, audit, privacy, settingsTab]),
    messaging.addChildren([messagingHome, inbox, messageTemplates, channels, sandbox]),
  ]),
]);

function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

export const makeRouter = (client: QueryClient) =>
  createRouter({
    routeTree,
    context: { client },
    // Plain words in the URL rather than JSON: people read and share it.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch,
    defaultPreload: false,
    defaultErrorComponent: CrashPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
