import { Checkbox, NativeSelect, NumberInput, Skeleton, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { segmentsQuery } from '@/api/lookups';
import { channelsQuery, KINDS, kindWord, type MessageKind, sendableKinds, templatesQuery } from '@/api/messaging';
import { messageOf, Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Campaign, MessageTemplate, MessagingChannel } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure, PermitButton } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { useFormFocus } from '@/ui/formFocus';
import { RouteLink } from '@/ui/RouteLink';
import { toast } from '@/ui/toast';
import classes from './Campaigns.module.css';
import { bodyOf, type Draft, draftOf, emptyDraft, missing, NIGHT, ownTimezone, placeholdersOf } from './draft';
import { PreviewBox } from './PreviewBox';
import { audiencesQuery, useCampaignWrites } from './queries';
import { Variables } from './Variables';

/** Writing a campaign: what it says, to whom, and how it goes out. */
export function Editor({ campaign }: { campaign?: Campaign }) {
  const templates = useQuery(templatesQuery);
  const channels = useQuery(channelsQuery);
  const failed = [templates, channels].find((query) => query.isError);
  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  if (!templates.data || !channels.data) return <Skeleton h={420} />;
  return <Form campaign={campaign} templates={templates.data} channels={channels.data} />;
}

/** Saved for the first time: its page takes the place of the one that had the focus, and sending is what comes next. */
let justMade: string | undefined;

interface FormProps {
  campaign?: Campaign;
  templates: MessageTemplate[];
  channels: MessagingChannel[];
}

function Form({ campaign, templates, channels }: FormProps) {
  const navigate = useNavigate();
  const why = usePermits().why('messaging:send');
  const readOnly = why !== undefined;
  const kinds = sendableKinds(channels);
  const [savedHere, setSaved] = useState(campaign);
  const saved = newest(savedHere, campaign);
  const [draft, setDraft] = useState<Draft>(() =>
    campaign ? draftOf(campaign) : emptyDraft(kinds.includes('email') ? 'email' : (kinds[0] ?? 'email')),
  );
  const [tried, setTried] = useState<'save' | 'start' | null>(null);
  const [starting, setStarting] = useState(false);
  const { form, showFault } = useFormFocus(!campaign);
  const sending = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!justMade || justMade !== campaign?.id) return;
    justMade = undefined;
    sending.current?.querySelector('button')?.focus();
  }, [campaign?.id]);
  const { make, change, steer } = useCampaignWrites();
  const failure = make.error ?? change.error ?? steer.error;
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const template = templates.find(({ id }) => id === draft.templateId);
  const names = placeholdersOf(template, [draft.subject, draft.isTest ? draft.otherSubject : '']);
  const faults = tried ? { ...refusals(failure), ...missing(draft, tried === 'start') } : {};
  const faultAt = (pointer: string): string | undefined =>
    Object.entries(faults).find(([at]) => at === pointer || at.startsWith(`${pointer}/`))?.[1];
  const general = failure && !(failure instanceof Problem && failure.errors.length > 0) ? failure : null;
  const isDirty = !saved || JSON.stringify(bodyOf(draft, names)) !== JSON.stringify(bodyOf(draftOf(saved), names));

  const save = async (): Promise<Campaign> => {
    const body = bodyOf(draft, names);
    const next = saved
      ? await change.mutateAsync({ id: saved.id, ...body, version: saved.version })
      : await make.mutateAsync(body);
    setSaved(next);
    return next;
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried('save');
    const next = Object.keys(missing(draft, false)).length > 0 ? null : await save().catch(() => null);
    if (!next) return showFault();
    setTried(null);
    toast(`Saved ${next.name}`);
    if (saved) return;
    justMade = next.id;
    await navigate({ to: '/campaigns/$campaignId', params: { campaignId: next.id }, replace: true });
  };

  const askToStart = () => {
    setTried('start');
    if (Object.keys(missing(draft, true)).length === 0) setStarting(true);
    else showFault();
  };

  const start = async () => {
    const next = isDirty || !saved ? await save() : saved;
    await steer.mutateAsync({ id: next.id, step: 'start' });
    await navigate({ to: '/campaigns/$campaignId', params: { campaignId: next.id }, replace: true });
  };

  const isScheduled = saved?.state === 'scheduled';
  return (
    <div className={classes.editor}>
      <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
        <section className={classes.step} aria-label="What it says">
          <h2 className={classes.head}>1. What it says</h2>
          <TextInput
            label="Name"
            description="For you and your team; nobody else sees it."
            required
            maxLength={120}
            readOnly={readOnly}
            data-autofocus={!campaign || undefined}
            value={draft.name}
            error={faultAt('/name')}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          <div className={classes.pair}>
            <NativeSelect
              label="Channel"
              disabled={readOnly}
              value={draft.channel}
              error={kinds.includes(draft.channel) ? faultAt('/channelId') : 'No channel for it is switched on'}
              onChange={(event) =>
                set({ channel: event.currentTarget.value as MessageKind, templateId: null, channelId: null })
              }
              data={KINDS.map((kind) => ({ value: kind, label: kindWord(kind) }))}
            />
            <NativeSelect
              label="Template"
              disabled={readOnly}
              value={draft.templateId ?? ''}
              error={faultAt('/templateId')}
              onChange={(event) => set({ templateId: event.currentTarget.value || null })}
              data={[
                { value: '', label: 'Choose a template' },
                ...templates
                  .filter(({ channel, approval }) => channel === draft.channel && approval === 'approved')
                  .map(({ id, name }) => ({ value: id, label: name })),
              ]}
            />
          </div>
          {draft.channel === 'email' && (
            <Subjects draft={draft} template={template} readOnly={readOnly} faultAt={faultAt} onChange={set} />
          )}
          {names.length > 0 && (
            <Variables
              names={names}
              variables={draft.variables}
              readOnly={readOnly}
              fault={faultAt('/variables')}
              onChange={(variables) => set({ variables })}
            />
          )}
        </section>
        <section className={classes.step} aria-label="To whom it goes">
          <h2 className={classes.head}>2. To whom it goes</h2>
          <AudienceField
            draft={draft}
            campaign={saved}
            readOnly={readOnly}
            fault={faultAt('/audience')}
            onChange={set}
          />
        </section>
        <section className={classes.step} aria-label="How it goes out">
          <h2 className={classes.head}>3. How it goes out</h2>
          <Delivery draft={draft} channels={channels} readOnly={readOnly} faultAt={faultAt} onChange={set} />
        </section>
        {general && (
          <p role="alert" className={classes.failure}>
            {messageOf(general)}
          </p>
        )}
        {tried && Object.keys(faults).length > 0 && (
          <p role="alert" className={classes.failure}>
            Some fields need another look.
          </p>
        )}
        <div ref={sending} className={classes.actions}>
          {!isScheduled && (
            <PermitButton why={why} onClick={askToStart} loading={steer.isPending}>
              {draft.at ? 'Schedule…' : 'Send…'}
            </PermitButton>
          )}
          <PermitButton type="submit" variant="default" why={why} loading={make.isPending || change.isPending}>
            {saved ? 'Save' : 'Save as a draft'}
          </PermitButton>
          {saved && <span className={classes.note}>{isDirty ? 'Not saved yet' : 'Saved'}</span>}
        </div>
      </form>
      <PreviewBox campaign={saved} isDirty={isDirty} variants={draft.isTest ? 2 : 1} />
      <Confirm
        opened={starting}
        title={draft.at ? `Schedule ${draft.name}` : `Send ${draft.name}`}
        verb={draft.at ? 'Schedule' : 'Send'}
        onClose={() => setStarting(false)}
        onConfirm={start}
      >
        {draft.at
          ? `It starts on ${draft.at.replace('T', ' at ')} (${draft.timezone}). Who gets it is settled then.`
          : 'Everybody who is in it now gets one message, as far as nothing speaks against it. What was sent cannot be called back.'}
      </Confirm>
    </div>
  );
}

/** What was scheduled or taken back meanwhile is still what was saved here; what somebody else wrote is not. */
function newest(here: Campaign | undefined, there: Campaign | undefined): Campaign | undefined {
  if (!here || !there || there.version <= here.version) return here;
  const text = (campaign: Campaign) => JSON.stringify(bodyOf(draftOf(campaign), Object.keys(campaign.variables)));
  return text(here) === text(there) ? there : here;
}

/** What the server refused, by the field it is about. */
function refusals(failure: unknown): Record<string, string> {
  if (!(failure instanceof Problem)) return {};
  return Object.fromEntries(failure.errors.map(({ pointer, message }) => [pointer, message]));
}

interface PartProps {
  draft: Draft;
  readOnly: boolean;
  onChange: (part: Partial<Draft>) => void;
}

interface SubjectsProps extends PartProps {
  template: MessageTemplate | undefined;
  faultAt: (pointer: string) => string | undefined;
}

function Subjects({ draft, template, readOnly, faultAt, onChange }: SubjectsProps) {
  const { isTest } = draft;
  return (
    <>
      <TextInput
        label={isTest ? 'First subject' : 'Subject'}
        placeholder={template?.subject ?? undefined}
        description={isTest ? undefined : 'The template’s own where this stays empty.'}
        maxLength={250}
        readOnly={readOnly}
        value={draft.subject}
        error={faultAt('/subjects/0')}
        onChange={(event) => onChange({ subject: event.currentTarget.value })}
      />
      <Switch
        label="Try two subjects"
        description="Some get the one, some the other, and the better one goes to the rest."
        disabled={readOnly}
        checked={isTest}
        onChange={(event) => onChange({ isTest: event.currentTarget.checked })}
      />
      {isTest && (
        <>
          <TextInput
            label="Second subject"
            maxLength={250}
            readOnly={readOnly}
            value={draft.otherSubject}
            error={faultAt('/subjects/1')}
            onChange={(event) => onChange({ otherSubject: event.currentTarget.value })}
          />
          <div className={classes.pair}>
            <NumberInput
              label="Try with"
              suffix=" %"
              min={2}
              max={100}
              allowDecimal={false}
              readOnly={readOnly}
              value={draft.percent}
              error={faultAt('/test/percent')}
              onChange={(value) => onChange({ percent: Number(value) || 2 })}
            />
            <NativeSelect
              label="Better is"
              disabled={readOnly}
              value={draft.metric}
              onChange={(event) => onChange({ metric: event.currentTarget.value as Draft['metric'] })}
              data={[
                { value: 'opens', label: 'opened by more people' },
                { value: 'clicks', label: 'clicked by more people' },
              ]}
            />
            <NumberInput
              label="Decide after"
              suffix=" min"
              min={1}
              max={10_080}
              allowDecimal={false}
              readOnly={readOnly}
              value={draft.afterMinutes}
              error={faultAt('/test/afterMinutes')}
              onChange={(value) => onChange({ afterMinutes: Number(value) || 1 })}
            />
          </div>
        </>
      )}
    </>
  );
}

interface AudienceProps extends PartProps {
  campaign: Campaign | undefined;
  fault: string | undefined;
}

function AudienceField({ draft, campaign, readOnly, fault, onChange }: AudienceProps) {
  const audiences = useQuery(audiencesQuery);
  const segments = useQuery(segmentsQuery);
  const unanswered = campaign?.audience?.kind === 'unanswered' ? campaign.audience : null;
  const groups = [
    {
      group: 'Audiences',
      items: (audiences.data ?? []).map(({ id, name, memberCount }) => ({
        value: `audience:${id}`,
        label: `${name} (${plural(memberCount, 'lead')})`,
      })),
    },
    {
      group: 'Segments',
      items: (segments.data ?? []).map(({ id, name }) => ({ value: `segment:${id}`, label: name })),
    },
    ...(unanswered
      ? [
          {
            group: 'Follow-up',
            items: [{ value: `unanswered:${unanswered.campaignId}`, label: `No answer to ${unanswered.name ?? ''}` }],
          },
        ]
      : []),
  ].filter(({ items }) => items.length > 0);
  return (
    <>
      <NativeSelect
        label="Audience or segment"
        description="Who is in it when the campaign starts gets one message, however many leads they have."
        disabled={readOnly}
        value={draft.audience ?? ''}
        error={fault}
        onChange={(event) => onChange({ audience: event.currentTarget.value || null })}
        data={[{ value: '', label: 'Choose to whom it goes' }, ...groups]}
      />
      <p className={classes.note}>
        An audience is made of leads that you choose in{' '}
        <RouteLink to="/leads" underline="always">
          the table of leads
        </RouteLink>
        ; a segment of conditions, in{' '}
        <RouteLink to="/segments" underline="always">
          segments
        </RouteLink>
        .
      </p>
    </>
  );
}

interface DeliveryProps extends PartProps {
  channels: MessagingChannel[];
  faultAt: (pointer: string) => string | undefined;
}

function Delivery({ draft, channels, readOnly, faultAt, onChange }: DeliveryProps) {
  const { tracking } = draft;
  const carrying = channels.filter(({ isActive, carries }) => isActive && carries.includes(draft.channel));
  const track = (part: Partial<Draft['tracking']>) => onChange({ tracking: { ...tracking, ...part } });
  return (
    <>
      <Switch
        label="Start later"
        disabled={readOnly}
        checked={draft.at !== null}
        onChange={(event) => onChange({ at: event.currentTarget.checked ? tomorrow() : null })}
      />
      {draft.at !== null && (
        <div className={classes.pair}>
          <TextInput
            type="datetime-local"
            label="Starts at"
            readOnly={readOnly}
            value={draft.at}
            error={faultAt('/start/at')}
            onChange={(event) => onChange({ at: event.currentTarget.value || draft.at })}
          />
          <TextInput
            label="Timezone"
            readOnly={readOnly}
            value={draft.timezone}
            error={faultAt('/start/timezone')}
            onChange={(event) => onChange({ timezone: event.currentTarget.value || ownTimezone() })}
          />
        </div>
      )}
      <div className={classes.pair}>
        <NativeSelect
          label="Sent by"
          disabled={readOnly}
          value={draft.channelId ?? ''}
          onChange={(event) => onChange({ channelId: event.currentTarget.value || null })}
          data={[
            { value: '', label: 'The usual channel' },
            ...carrying.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <NumberInput
          label="Messages a minute"
          description="0 for as many as the channel takes."
          min={0}
          max={1_000_000}
          allowDecimal={false}
          readOnly={readOnly}
          value={draft.perMinute}
          error={faultAt('/perMinute')}
          onChange={(value) => onChange({ perMinute: Number(value) || 0 })}
        />
      </div>
      <Switch
        label="Quiet hours"
        description="Nobody gets it then, by their own clock where it is known."
        disabled={readOnly}
        checked={draft.quiet !== null}
        onChange={(event) => onChange({ quiet: event.currentTarget.checked ? NIGHT : null })}
      />
      {draft.quiet && (
        <div className={classes.pair}>
          {(['from', 'until'] as const).map((end) => (
            <TextInput
              key={end}
              type="time"
              label={end === 'from' ? 'Quiet from' : 'Quiet until'}
              readOnly={readOnly}
              value={draft.quiet?.[end] ?? ''}
              error={end === 'from' ? faultAt('/quietHours') : undefined}
              onChange={(event) => {
                const time = event.currentTarget.value;
                if (draft.quiet && time) onChange({ quiet: { ...draft.quiet, [end]: time } });
              }}
            />
          ))}
        </div>
      )}
      {draft.channel === 'email' && (
        <>
          <Checkbox
            label="Count who opens it"
            description="By a picture that nobody sees; needs a template with a page."
            disabled={readOnly}
            checked={tracking.opens}
            onChange={(event) => track({ opens: event.currentTarget.checked })}
          />
          <Checkbox
            label="Count who follows its links"
            disabled={readOnly}
            checked={tracking.clicks}
            onChange={(event) => track({ clicks: event.currentTarget.checked })}
          />
          <Checkbox
            label="Also the links of the plain text"
            description="They are longer to look at."
            disabled={readOnly}
            checked={tracking.textLinks}
            onChange={(event) => track({ textLinks: event.currentTarget.checked })}
          />
        </>
      )}
    </>
  );
}

/** Tomorrow at nine, as an input of date and time has it. */
function tomorrow(): string {
  const day = new Date(Date.now() + 24 * 60 * 60 * 1000);
  const pad = (part: number) => String(part).padStart(2, '0');
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}T09:00`;
}
