/**
 * The shapes of the API, by the names the screens use for them. They are the generated ones (`npm run gen`); written by
 * hand is only what the description cannot say, each with its reason. A field that may be null may also be left out.
 */

import type { components } from './schema.gen';

type Schemas = components['schemas'];

/** `Of`, with some fields said more closely than the description does. */
type Narrowed<Of, By extends Partial<Record<keyof Of, unknown>>> = Omit<Of, keyof By> & By;

/** Each list is described by its own; the screens treat all alike. */
export type Page<T> = Narrowed<Schemas['Paged_CardView'], { data: T[] }>;

export type WorkspaceRef = Schemas['WorkspaceChoice'];
export type Session = Schemas['SessionView'];
export type SecondFactor = Schemas['SecondFactorView'];
export type BegunSecondFactor = Schemas['BegunView'];
export type RecoveryCodes = Schemas['RecoveryCodesView'];
export type Offer = Schemas['OfferView'];
export type AlertMails = Schemas['AlertMailsView'];
export type AlertMailsTest = Schemas['AlertMailsTest'];
export type Setup = Schemas['SetupView'];
export type OfferedProviders = Schemas['OfferedProvidersView'];
export type SignInProvider = Schemas['SignInProviderView'];
export type SignInProviderWish = Schemas['SaveProviderRequest'];
export type SignInProviderCheck = Schemas['ProviderCheckView'];
export type Retention = Schemas['RetentionView'];
export type RetentionPreview = Schemas['RetentionPreview'];
export type HeldPerson = Schemas['PersonView'];
export type Consent = Schemas['ConsentView'];
export type Suppression = Schemas['SuppressionView'];
export type SuppressionWish = Schemas['SuppressionRequest'];

/** Kept as JSON by the server, and described as any object. */
export interface Reason {
  code: string;
  points: number;
}

/** Kept as JSON by the server, and described as any object. */
export interface Touch {
  /** Missing where no page is known. */
  at?: string;
  pageUrl?: string | null;
  referrer?: string | null;
  utmSource?: string | null;
  utmMedium?: string | null;
  utmCampaign?: string | null;
  utmTerm?: string | null;
  utmContent?: string | null;
  clickIds?: Record<string, string> | null;
  /** The ids under which other programs know the visitor. */
  programIds?: Record<string, string> | null;
  /** How the visit came about; a server to come may know more ways. */
  channel?: string | null;
  source?: string | null;
  keyword?: string | null;
}

export type VisitorContext = Schemas['ContextView'];

/** Fields of the workspace's own making, and the labels they came with. */
export type CustomFields = Record<string, unknown> & { _displayNames?: Record<string, string> };

/** Values of custom fields are kept as JSON by the server, and described as any object. */
export type Card = Narrowed<Schemas['CardView'], { customFields: CustomFields }>;
export type LeadPage = Narrowed<Schemas['LeadPage'], { data: Card[] }>;
export type Lead = Narrowed<
  Schemas['LeadView'],
  {
    customFields: CustomFields;
    suspicionReasons: Reason[];
    scoreReasons: Reason[];
    engagementReasons: Reason[];
    touches: Touch[];
    firstTouch?: Touch | null;
    lastTouch?: Touch | null;
  }
>;
/** Its touch is kept as JSON by the server, and described as any object. */
export type Visit = Narrowed<Schemas['VisitView'], { touch?: Touch | null }>;
/** Its data differ by kind, and are read with care. */
export type Activity = Narrowed<Schemas['ActivityView'], { data: Record<string, unknown> }>;
export type CrmLink = Schemas['CrmLinkView'];
export type LeadDetail = Lead & {
  relatedProjects: Schemas['RelatedView'][];
  crmLinks: CrmLink[];
  activity: Activity[];
  activityTotal: number;
};

/** The answer when the database is away: kept on disk, and a lead once it is back. */
export type SpooledLead = Narrowed<Schemas['Spooled'], { stored: false }>;

export type LeadScore = Schemas['ScoreView'];
export type Scoring = Schemas['ScoringView'];
export type ScoringVersion = Schemas['VersionView'];
export type ScoringPreview = Schemas['ScoringPreviewView'];
export type Rescore = Schemas['RescoreView'];
/** A job that may be null is described as a schema of its own beside null. */
export type LatestRescore = Narrowed<Schemas['LatestRescore'], { job?: Rescore | null }>;

export type Stage = Schemas['StageView'];
export type Pipeline = Schemas['PipelineView'];
export type BoardColumn = Narrowed<Schemas['ColumnView'], { cards: Card[] }>;
export type Board = Narrowed<Schemas['BoardView'], { stages: BoardColumn[] }>;
export type ColumnPage = Narrowed<Schemas['StagePageView'], { cards: Card[] }>;
export type BulkResult = Schemas['BulkView'];

/** Kept as JSON by the server, and described as any object. */
export interface MatchReason {
  by: string;
  refused?: { by: string; because: string }[] | null;
  /** The lead that it was split off from. */
  splitFrom?: string;
}

export type Submission = Narrowed<
  Schemas['SubmissionView'],
  { fields?: Record<string, unknown> | null; matchReason: MatchReason }
>;

/** Why a submission was held back; described as text, and the screens have words for these. */
export type QuarantineEntry = Narrowed<
  Schemas['QuarantineView'],
  { fields?: Record<string, unknown> | null; suspicionReasons: Reason[] }
>;
export type BlockedIp = Schemas['BlockedIpView'];
export type BlockedAttempt = Schemas['BlockedAttemptView'];

export type CustomField = Schemas['CustomFieldView'];
export type CustomFieldType = Schemas['CustomFieldType'];
export type NewCustomField = Schemas['NewCustomField'];
/** In a change, what is absent stays as it is. */
export type CustomFieldChange = Partial<Schemas['CustomFieldPatch']>;
export type FilterKind = 'text' | 'number' | 'date' | 'choice' | 'id' | 'set' | 'flag';
/** Its kind is described as text. */
export type FilterField = Narrowed<Schemas['FilterFieldView'], { kind: FilterKind }>;
/** A filter is kept as JSON by the server, and described as any object. */
interface WithFilter {
  filter?: Record<string, unknown> | null;
}
export type SavedView = Narrowed<Schemas['SavedView'], WithFilter>;
export type NewSavedView = Narrowed<Schemas['NewSavedView'], WithFilter>;
/** In a change, what is absent stays as it is. */
export type SavedViewChange = Partial<Narrowed<Schemas['SavedViewPatch'], WithFilter>>;

export type Segment = Narrowed<Schemas['SegmentView'], { filter: Record<string, unknown> }>;
export type SegmentCount = Schemas['SegmentCount'];
export type SegmentDetail = Segment & SegmentCount;
export type NewSegment = Narrowed<Schemas['NewSegment'], { filter: Record<string, unknown> }>;
/** In a change, what is absent stays as it is. */
export type SegmentChange = Partial<Narrowed<Schemas['SegmentPatch'], { filter: Record<string, unknown> }>>;

export type Lifecycle = 'lead' | 'customer';
/** Its data are kept as JSON by the server, and described as any object. */
export type Contact = Narrowed<Schemas['ContactView'], { columnData: CustomFields }>;
export type ContactLead = Schemas['ContactLeadView'];
export type ContactDetail = Contact & { leads: ContactLead[]; touches: Touch[]; suppressed: string[] };
/** In a change, what is absent stays as it is. */
export type ContactChange = Partial<Narrowed<Schemas['ContactPatch'], { columnData: Record<string, unknown> }>>;
export type Project = Schemas['ProjectView'];
export type InboundWebhook = Schemas['WebhookView'];
export type InboundRequest = Schemas['RequestView'];
export type RequestPreview = Schemas['PreviewView'];
export type LeadPreview = Schemas['LeadPreview'];
export type ReplayResult = Schemas['ReplayView'];
export type LeadFetch = Schemas['FetchView'];
export type Form = Schemas['FormView'];
export type Site = Schemas['SiteView'];
export type Widget = Narrowed<Schemas['WidgetView'], { position: 'left' | 'right' }>;
export type ChatSource = Schemas['ChatView'];
export type Capture = Schemas['CaptureView'];
export type Conversation = Schemas['ConversationView'];
export type ConversationDetail = Schemas['ConversationDetail'];

export type SourceHealth = Schemas['SourceHealthView'];
export type Ledger = Schemas['LedgerView'];
export type LedgerLine = Schemas['LineView'];
/** Its data differ by kind, and are read with care. */
export type Alert = Narrowed<Schemas['AlertView'], { data: Record<string, unknown> }>;

export type Destination = Schemas['DestinationView'];
/** In a change, what is absent stays as it is. */
export type DestinationInput = Schemas['DestinationRequest'];
export type TestResult = Schemas['TestView'];
export type TemplatePreset = Schemas['TemplatePresetView'];
export type TemplatePlaceholders = Schemas['TemplateNamesView'];
export type TemplatePreview = Schemas['TemplatePreviewView'];

/** Described as text; the screens have a word for each. */
export type DeliveryState = 'pending' | 'delivered' | 'dead' | 'cancelled' | 'skipped';
export type Delivery = Narrowed<Schemas['DeliveryView'], { state: DeliveryState }>;
/** Headers are described as any object. */
export type Attempt = Narrowed<
  Schemas['AttemptView'],
  { requestHeaders: Record<string, string>; responseHeaders?: Record<string, string> | null }
>;
export type DeliveryDetail = Narrowed<Schemas['DeliveryDetail'], { state: DeliveryState; attempts: Attempt[] }>;
export type ReplayJob = Schemas['ReplayJobView'];

/** How it stands with the first answer to a lead. */
export type Response = Schemas['ResponseView'];
export type Task = Schemas['TaskView'];
export type NewTask = Schemas['NewTaskRequest'];
/** In a change, what is absent stays as it is. */
export type TaskChange = Partial<Schemas['TaskPatch']>;
export type PersonalAlert = Schemas['PersonalAlertView'];
export type AlertWish = Schemas['AlertWishView'];
export type AssignmentMethod = Schemas['AssignmentMethod'];
/** A filter is kept as JSON by the server, and described as any object. */
export type AssignmentRule = Narrowed<Schemas['AssignmentRuleView'], { filter: Record<string, unknown> }>;
/** In a change, what is absent stays as it is. */
export type AssignmentRuleChange = Partial<
  Narrowed<Schemas['AssignmentRulePatch'], { filter?: Record<string, unknown> }>
>;
export type AssignmentTrial = Schemas['AssignmentTrialView'];
export type WorkSettings = Schemas['WorkSettingsView'];
/** In a change, what is absent stays as it is. */
export type WorkSettingsChange = Partial<Schemas['WorkSettingsPatch']>;
export type Availability = Schemas['AvailabilityView'];
export type AvailabilityChange = Partial<Schemas['AvailabilityPatch']>;
export type Hours = Schemas['HoursView'];

export type Merge = Schemas['MergeView'];
export type MergeSide = Schemas['MergeSide'];
/** What the two say differs by field. */
export type MergeField = Narrowed<Schemas['MergeField'], { winner?: unknown; loser?: unknown }>;
export type MergePreview = Narrowed<Schemas['MergePreview'], { fields: MergeField[] }>;
/** Values of custom fields are kept as JSON by the server, and described as any object. */
export type DuplicateList = Narrowed<
  Schemas['DuplicateList'],
  { data: Narrowed<Schemas['DuplicateGroup'], { leads: Card[] }>[] }
>;

/** Described as text; the screens have words for each. */
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'undoing' | 'undone';
/** What it is about differs by kind, and is read with care. */
export type Job = Narrowed<Schemas['JobView'], { state: JobState; about: Record<string, unknown> }>;
export type JobResult = Narrowed<Schemas['JobResultView'], { outcome: 'changed' | 'unchanged' | 'failed' }>;

export type Analysis = Schemas['AnalysisView'];
export type AnalysisSettings = Schemas['AnalysisSettingsView'];
/** What is left out stays, which the description cannot say of a part that may be left out as a whole. */
export type AnalysisChange = Narrowed<
  Schemas['ChangeAnalysisRequest'],
  { endpoint: Partial<Schemas['ChangeEndpoint']> }
>;

export type Figures = Schemas['FiguresView'];
export type ReportPeriod = Schemas['ReportPeriodView'];
export type IntervalReport = Schemas['Report_IntervalView'];
export type IntervalRow = Schemas['IntervalView'];
export type GroupReport = Schemas['Report_GroupView'];
export type GroupRow = Schemas['GroupView'];
export type CampaignReport = Schemas['Report_CampaignView'];
export type CampaignRow = Schemas['CampaignView'];
export type FunnelReport = Schemas['FunnelReport'];
export type FunnelRow = Schemas['FunnelStepView'];
export type ResponseTimeReport = Schemas['ResponseTimeReport'];
export type WinRateReport = Schemas['WinRateReport'];

export type Member = Schemas['MemberView'];
export type Workspace = Schemas['WorkspaceView'];
export type User = Schemas['UserView'];
export type Invitation = Schemas['InvitationView'];
export type RoleView = Schemas['RoleView'];
export type PermissionView = Schemas['PermissionView'];
export type Token = Schemas['TokenView'];
/** What stands beside an entry differs by action, and is read with care. */
export type AuditEntry = Narrowed<Schemas['AuditEntryView'], { data: Record<string, unknown> }>;
export type SessionEntry = Schemas['OwnSessionView'];

/** The live stream's events are not described: the description knows answers to requests only. */
export interface LeadHint {
  kind: string;
  leadId: string;
  stageId: string;
  fromStageId?: string | null;
  pipelineId: string;
  op?: string | null;
}

/** How far a job is, so that a screen moves without asking. */
export interface JobHint {
  jobId: string;
  jobKind: string;
  state: JobState;
  total: number;
  done: number;
  changed: number;
  failed: number;
  undone: number;
  left: number;
}

export interface TaskHint {
  kind: string;
  taskId: string;
  leadId?: string | null;
}

export interface ContactHint {
  kind: string;
  contactId: string;
}

export interface DeliveryHint {
  kind: string;
  deliveryId: string;
  destinationId: string;
}

export type ImportRow = Narrowed<Schemas['ImportRowView'], { job?: Job | null }>;
export type Import = Narrowed<Schemas['ImportView'], { job?: Job | null; checkJob?: Job | null }>;
export type Tally = Schemas['TallyView'];

export type MessagingChannel = Schemas['ChannelView'];
export type ChannelKind = Schemas['ChannelKindView'];
export type ChannelTest = Schemas['ChannelTestView'];
export type MessageTemplate = Schemas['MessageTemplateView'];
export type MessagePreview = Schemas['MessagePreviewView'];
export type SentMessage = Schemas['SentMessageView'];
export type Attachment = Schemas['AttachmentView'];
export type QuickSendResult = Schemas['QuickSendView'];
export type Audience = Schemas['AudienceView'];
export type InboxEntry = Schemas['InboxEntry'];
export type InboxPage = Schemas['InboxPage'];
export type CannedReply = Schemas['CannedReplyView'];
export type SandboxDevice = Schemas['SandboxDeviceView'];
export type SandboxArrival = Schemas['SandboxArrivalView'];
export type SplitOff = Schemas['SplitOffView'];
export type SplitOffRequest = Schemas['SplitOffRequest'];
export type StepChannel = Schemas['StepChannel'];
export type AutomationEvent = Schemas['TriggerEvent'];
export type StepKind = Schemas['StepKindName'];
/** Conditions, as lists take them; described as an object. */
type Conditions = Record<string, unknown> | null;
export type AutomationStep = Narrowed<Schemas['StepView'], { filter?: Conditions }>;
type AutomationParts = { steps: AutomationStep[]; condition?: Conditions };
export type Automation = Narrowed<Schemas['AutomationView'], AutomationParts>;
export type NewAutomation = Narrowed<Schemas['NewAutomation'], AutomationParts>;
/** In a change, what is absent stays as it is. */
export type AutomationChange = Partial<Narrowed<Schemas['AutomationPatch'], AutomationParts>>;
export type AutomationRun = Schemas['RunView'];
export type AutomationLine = Schemas['AutomationEventView'];
export type DryRun = Schemas['DryRunView'];
export type DryRunMessage = Schemas['DryRunMessage'];
export type Campaign = Schemas['MessageCampaignView'];
export type CampaignFigures = Schemas['MessageFiguresView'];
export type NewCampaign = Schemas['NewCampaign'];
/** In a change, what is absent stays as it is. */
export type CampaignChange = Partial<Schemas['CampaignPatch']>;
export type CampaignOutcome = Schemas['CampaignReport'];
export type CampaignRecipient = Schemas['CampaignRecipientView'];
export type CampaignPreview = Schemas['CampaignPreviewView'];
export type MessageAnalytics = Schemas['MessageAnalyticsView'];
