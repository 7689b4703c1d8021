import { Button, Menu, Pill, SegmentedControl, Select, TagsInput, Text, Textarea, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode, useState } from 'react';
import { membersQuery, pipelinesQuery } from '@/api/lookups';
import { messageOf } from '@/api/problem';
import type { Activity, Lead, LeadDetail, Pipeline, Stage, Submission, Touch, VisitorContext } from '@/api/shapes';
import { scoreBand, suspicionLevel, suspicionWord } from '@/lib/scores';
import { asText, humanise, safeUrl } from '@/lib/text';
import { duration } from '@/lib/time';
import { BlockIpButton } from '@/ui/BlockIp';
import { Dot, SafeLink, Time } from '@/ui/basics';
import { CopyButton } from '@/ui/Copy';
import { InlineEdit } from '@/ui/InlineEdit';
import { RouteLink } from '@/ui/RouteLink';
import { toastError } from '@/ui/toast';
import classes from './Lead.module.css';
import { type LeadChange, useAddNote, useAssignLead, useMoveLead, useUpdateLead } from './mutations';
import { ScoreHistory } from './ScoreHistory';
import { SplitOffButton } from './SplitOff';
import { useReason } from './useReason';
import { EngagementHead, TouchList, Visits } from './Visits';
import { channelWords, visitorRows } from './visitor';
import {
  activityWords,
  inTimeline,
  matchWords,
  scoreReason,
  suspicionReason,
  TIMELINE_FILTERS,
  type TimelineFilter,
} from './words';

export function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.block} aria-label={title}>
      <Title order={2}>{title}</Title>
      {children}
    </section>
  );
}

export function StagePicker({ lead, pipeline, why }: { lead: Lead; pipeline: Pipeline | undefined; why?: string }) {
  const { move } = useMoveLead();
  const { ask, dialog } = useReason();
  const others = (useQuery(pipelinesQuery).data ?? []).filter(({ id }) => id !== lead.pipelineId);
  const stages = pipeline?.stages ?? [];
  const current = stages.find(({ id }) => id === lead.stageId);
  const items = (of: Stage[]) =>
    of.map((stage) => (
      <Menu.Item
        key={stage.id}
        leftSection={<Dot color={stage.color} />}
        disabled={stage.id === lead.stageId}
        onClick={() =>
          ask([lead.stageId], stage.id, (reason) =>
            move({
              leadId: lead.id,
              name: lead.name,
              toStageId: stage.id,
              stageName: stage.name,
              afterLeadId: null,
              reason,
              from: current && {
                stageId: current.id,
                stageName: current.name,
                afterLeadId: null,
                reason: lead.closeReason,
              },
            }),
          )
        }
      >
        {stage.name}
      </Menu.Item>
    ));
  return (
    <>
      <Menu position="bottom-start" disabled={why !== undefined}>
        <Menu.Target>
          <Button variant="default" leftSection={<Dot color={current?.color ?? ''} />} title={why}>
            {current?.name ?? 'Stage'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={420} className={classes.menu}>
          <Menu.Label>Move to</Menu.Label>
          {items(stages)}
          {others.map((other) => (
            <Fragment key={other.id}>
              <Menu.Label>{other.name}</Menu.Label>
              {items(other.stages)}
            </Fragment>
          ))}
        </Menu.Dropdown>
      </Menu>
      {dialog}
    </>
  );
}

export function AssignPicker({ lead, why }: { lead: Lead; why?: string }) {
  const members = useQuery(membersQuery).data ?? [];
  const assign = useAssignLead(lead.id);
  const options = members.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <Select
      size="xs"
      className={classes.assign}
      aria-label="Assigned to"
      placeholder="Nobody"
      title={why}
      disabled={why !== undefined}
      clearable
      searchable
      data={options}
      value={lead.assignedTo}
      onChange={(value) => assign.mutate(value)}
    />
  );
}

const orNull = (text: string) => (text === '' ? null : text);

const FIELDS: { key: 'name' | 'email' | 'phone' | 'company' | 'title'; label: string; type?: 'email' | 'tel' }[] = [
  { key: 'name', label: 'Name' },
  { key: 'email', label: 'E-mail', type: 'email' },
  { key: 'phone', label: 'Phone', type: 'tel' },
  { key: 'company', label: 'Company' },
  { key: 'title', label: 'Title' },
];

/** Who it is: each line is edited in place. Masked values are shown as sent and cannot be edited. */
export function LeadFacts({ lead, canEdit }: { lead: LeadDetail; canEdit: boolean }) {
  const update = useUpdateLead(lead.id);
  const save = (key: keyof LeadChange) => (value: string, seen: string) =>
    update.mutateAsync({ [key]: orNull(value), seen: { [key]: orNull(seen) } });
  return (
    <dl className={classes.facts}>
      {FIELDS.map(({ key, label, type }) => {
        const value = lead[key] ?? '';
        const masked = lead.masked && (key === 'name' || key === 'email' || key === 'phone');
        return (
          <FactRow key={key} label={label}>
            <span className={classes.factsValue}>
              <InlineEdit
                label={label}
                type={type}
                value={value}
                display={key === 'phone' ? (lead.phoneDisplay ?? undefined) : undefined}
                readOnly={!canEdit || masked}
                onSave={save(key)}
              />
            </span>
            {value && !masked && <FactActions kind={key} value={value} />}
          </FactRow>
        );
      })}
      <FactRow label="Contact">
        <RouteLink to="/contacts/$contactId" params={{ contactId: lead.contactId }}>
          {lead.convertedAt ? 'Customer' : 'Open the contact'}
        </RouteLink>
      </FactRow>
      <FactRow label="Project">{lead.projectName ?? '–'}</FactRow>
      {lead.relatedProjects.length > 0 && (
        <FactRow label="Also asked about">
          <ul className={classes.related}>
            {lead.relatedProjects.map(({ projectId, projectName, leadId }) => (
              <li key={projectId}>
                <Link to="/leads/$leadId" params={{ leadId }}>
                  {projectName}
                </Link>
              </li>
            ))}
          </ul>
        </FactRow>
      )}
      <FactRow label="Source">{lead.sourceName}</FactRow>
      <FactRow label="Created">
        <Time at={lead.createdAt} />
      </FactRow>
      <FactRow label="Lead number">
        <span className={classes.factsValue}>{lead.number}</span>
        <CopyButton value={lead.id} label="Copy the lead's id" />
      </FactRow>
    </dl>
  );
}

function FactRow({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function FactActions({ kind, value }: { kind: string; value: string }) {
  if (kind === 'email') {
    return (
      <>
        <Button
          component="a"
          href={`mailto:${encodeURIComponent(value).replace('%40', '@')}`}
          variant="subtle"
          size="compact-xs"
        >
          Write
        </Button>
        <CopyButton value={value} label="Copy the e-mail address" />
      </>
    );
  }
  if (kind === 'phone') {
    return (
      <>
        <Button component="a" href={`tel:${value.replace(/[^+\d]/g, '')}`} variant="subtle" size="compact-xs">
          Call
        </Button>
        <CopyButton value={value} label="Copy the phone number" />
      </>
    );
  }
  return null;
}

export function ScoreBlock({ lead }: { lead: Lead }) {
  const level = suspicionLevel(lead.suspicion);
  return (
    <Block title="Score">
      <div className={classes.scoreHead}>
        <span className={classes.scoreNumber}>{lead.score}</span>
        <span className={classes.small}>of 100, {scoreBand(lead.score)}</span>
      </div>
      <ReasonList reasons={lead.scoreReasons.map((reason) => ({ ...reason, words: scoreReason(reason) }))} />
      {lead.engagement != null && (
        <>
          <EngagementHead lead={lead} />
          <ReasonList reasons={lead.engagementReasons.map((reason) => ({ ...reason, words: scoreReason(reason) }))} />
        </>
      )}
      {(lead.suspicion > 0 || lead.suspicionReasons.length > 0) && (
        <>
          <Text size="sm" fw={600} mt="sm" mb={4}>
            Suspicion {lead.suspicion} of 100: {suspicionWord(level).toLowerCase()}
          </Text>
          <ReasonList
            reasons={lead.suspicionReasons.map((reason) => ({ ...reason, words: suspicionReason(reason) }))}
            bad
          />
        </>
      )}
      <ScoreHistory leadId={lead.id} />
    </Block>
  );
}

function ReasonList({ reasons, bad }: { reasons: { code: string; points: number; words: string }[]; bad?: boolean }) {
  if (reasons.length === 0) return <div className={classes.small}>Nothing counted yet.</div>;
  return (
    <ul className={classes.reasons}>
      {reasons.map(({ code, points, words }) => (
        <li key={code}>
          <span className={classes.points} data-sign={bad || points < 0 ? 'minus' : 'plus'}>
            {points > 0 ? `+${points}` : points}
          </span>
          {words}
        </li>
      ))}
    </ul>
  );
}

interface SubmissionCardProps {
  submission: Submission;
  /** Why nothing can be changed, where that is so. */
  why?: string;
  /** Whether something is left of the lead without it. */
  isOneOfSeveral: boolean;
}

export function SubmissionCard({ submission, why, isOneOfSeveral }: SubmissionCardProps) {
  const [open, setOpen] = useState(false);
  const { name, email, phone, project, cta, message, pageUrl, matchReason, timeToSubmitMs, fields } = submission;
  const who = [name, email, phone].filter(Boolean).join(' · ');
  return (
    <article className={classes.submission}>
      <div className={classes.submissionHead}>
        <span>{submission.sourceName}</span>
        {cta && <span className={classes.small}>{cta}</span>}
        <Time at={submission.receivedAt} />
      </div>
      {who && <div className={classes.small}>{who}</div>}
      {project && <div className={classes.small}>Project: {project}</div>}
      {message && <p className={classes.message}>{message}</p>}
      {pageUrl && (
        <div className={classes.small}>
          From <SafeLink url={pageUrl} />
        </div>
      )}
      <div className={classes.small}>
        {matchWords(matchReason)}
        {timeToSubmitMs != null && ` Filled in within ${duration(timeToSubmitMs)}.`}
      </div>
      {fields && (
        <Button variant="subtle" size="compact-xs" mt={4} ml={-7} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide the fields' : 'All fields as sent'}
        </Button>
      )}
      {submission.ip && (
        <BlockIpButton ip={submission.ip} why={why} variant="subtle" size="compact-xs" mt={4}>
          Block IP {submission.ip}
        </BlockIpButton>
      )}
      {isOneOfSeveral && <SplitOffButton submission={submission} />}
      {open && fields && <Pairs rows={Object.entries(fields).map(([key, value]) => [key, asText(value)])} />}
    </article>
  );
}

export function Pairs({ rows }: { rows: [string, string][] }) {
  if (rows.length === 0) return <div className={classes.small}>None.</div>;
  return (
    <dl className={classes.pairs}>
      {rows.map(([key, value]) => (
        <div key={key} style={{ display: 'contents' }}>
          <dt>{key}</dt>
          <dd>{safeUrl(value) ? <SafeLink url={value} /> : value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What the lead brought beyond the usual fields, under the names it was sent with. Plain values are edited in place. */
export function CustomFieldFacts({ lead, canEdit }: { lead: Lead; canEdit: boolean }) {
  const update = useUpdateLead(lead.id);
  const names = lead.customFields._displayNames ?? {};
  const rows = Object.entries(lead.customFields).filter(([key]) => key !== '_displayNames');
  return (
    <dl className={classes.facts}>
      {rows.map(([key, value]) => {
        const text = asText(value);
        const isPlain = value === null || typeof value !== 'object';
        return (
          <FactRow key={key} label={names[key] ?? humanise(key)}>
            <span className={classes.factsValue}>
              <InlineEdit
                label={names[key] ?? humanise(key)}
                value={text}
                readOnly={!canEdit || !isPlain || lead.masked}
                onSave={(next, seen) =>
                  update.mutateAsync({
                    customFields: { [key]: orNull(next) },
                    // What is no text was shown as one.
                    seen:
                      seen === text ? { customFields: { [key]: value } } : { customFields: { [key]: orNull(seen) } },
                  })
                }
              />
            </span>
            {safeUrl(text) && <SafeLink url={text}>Open</SafeLink>}
          </FactRow>
        );
      })}
    </dl>
  );
}

export function Journey({ lead }: { lead: Lead }) {
  const first = lead.firstTouch?.at ? lead.firstTouch : null;
  const last = lead.lastTouch?.at ? lead.lastTouch : null;
  const same = first !== null && first.at === last?.at;
  const onlyOne = lead.touches.length < 2;
  const cards = same ? 1 : 2;
  return (
    <>
      <div className={classes.touches}>
        {first && <TouchCard title={same && onlyOne ? 'The only touch' : 'First touch'} touch={first} />}
        {last && !same && <TouchCard title="Last touch" touch={last} />}
        {!first && !last && <div className={classes.small}>No page or campaign is known.</div>}
      </div>
      {lead.touches.length > cards && <TouchList touches={lead.touches} />}
      <Visits lead={lead} />
    </>
  );
}

/** What the latest visit's request told of who sent it. */
export function Visitor({ context }: { context: VisitorContext }) {
  const rows = visitorRows(context);
  if (rows.length === 0) return <div className={classes.small}>Nothing is known.</div>;
  return <Pairs rows={rows} />;
}

function TouchCard({ title, touch }: { title: string; touch: Touch }) {
  const rows: [string, string | null | undefined][] = [
    ['Channel', channelWords(touch)],
    ['Searched for', touch.keyword === touch.utmTerm ? undefined : touch.keyword],
    ['Page', touch.pageUrl],
    ['Referrer', touch.referrer],
    ['Source', touch.utmSource],
    ['Medium', touch.utmMedium],
    ['Campaign', touch.utmCampaign],
    ['Term', touch.utmTerm],
    ['Content', touch.utmContent],
    ...Object.entries(touch.clickIds ?? {}),
    ...Object.entries(touch.programIds ?? {}).map(([key, id]): [string, string] => [humanise(key), id]),
  ];
  return (
    <div>
      <Title order={3}>{title}</Title>
      <span className={classes.small}>{touch.at && <Time at={touch.at} />}</span>
      <Pairs rows={rows.filter((row): row is [string, string] => Boolean(row[1]))} />
    </div>
  );
}

export function TagEditor({ lead, canEdit }: { lead: Lead; canEdit: boolean }) {
  const update = useUpdateLead(lead.id);
  if (!canEdit) {
    return (
      <div className={classes.tags}>
        {lead.tags.length === 0 ? '–' : lead.tags.map((tag) => <Pill key={tag}>{tag}</Pill>)}
      </div>
    );
  }
  return (
    <TagsInput
      size="xs"
      aria-label="Tags"
      placeholder={lead.tags.length === 0 ? 'Add a tag, then Enter' : undefined}
      value={update.isPending ? (update.variables?.tags ?? lead.tags) : lead.tags}
      onChange={(tags) =>
        update.mutate(
          { tags, seen: { tags: lead.tags } },
          { onError: (error) => toastError('The tags were not saved', error) },
        )
      }
    />
  );
}

function NoteBox({ leadId, why }: { leadId: string; why?: string }) {
  const [draft, setDraft] = useState('');
  const add = useAddNote(leadId);
  const save = () => {
    const value = draft.trim();
    if (value !== '') add.mutate(value, { onSuccess: () => setDraft('') });
  };
  if (why) return null;
  return (
    <div className={classes.noteBox}>
      <Textarea
        aria-label="New note"
        placeholder="Write a note; Ctrl+Enter saves"
        autosize
        minRows={2}
        maxRows={10}
        value={draft}
        error={add.isError ? messageOf(add.error) : undefined}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
        }}
      />
      {draft.trim() !== '' && (
        <Button loading={add.isPending} onClick={save}>
          Add the note
        </Button>
      )}
    </div>
  );
}

export function Timeline({ lead, why }: { lead: LeadDetail; why?: string }) {
  const [filter, setFilter] = useState<TimelineFilter>('all');
  const shown = lead.activity.filter(({ kind }) => inTimeline(filter, kind));
  return (
    <Block title="Timeline">
      <NoteBox leadId={lead.id} why={why} />
      <SegmentedControl
        size="xs"
        aria-label="Show in the timeline"
        data={TIMELINE_FILTERS.map(({ value, label }) => ({ value, label }))}
        value={filter}
        onChange={(value) => setFilter(value as TimelineFilter)}
      />
      <ol className={classes.timeline}>
        {shown.map((activity) => (
          <TimelineEntry key={activity.id} activity={activity} />
        ))}
      </ol>
      {shown.length === 0 && <div className={classes.small}>Nothing of this kind yet.</div>}
      {lead.activityTotal > lead.activity.length && (
        <div className={classes.small}>
          The newest {lead.activity.length} of {lead.activityTotal} entries.
        </div>
      )}
    </Block>
  );
}

function TimelineEntry({ activity }: { activity: Activity }) {
  return (
    <li data-kind={activity.kind}>
      <div className={classes.timelineHead}>
        <span>{activityWords(activity)}</span>
        <span className={classes.small}>
          {activity.actorName} · <Time at={activity.createdAt} />
        </span>
      </div>
      {activity.kind === 'note.added' && <div className={classes.note}>{asText(activity.data.value)}</div>}
    </li>
  );
}
