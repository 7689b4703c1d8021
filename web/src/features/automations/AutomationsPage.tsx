import { Skeleton, Switch, Table, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { pipelinesQuery, segmentsQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import type { Automation } from '@/api/shapes';
import { usePageKeys } from '@/lib/keys';
import { formatCount, plural } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, PermitButton, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast, toastError } from '@/ui/toast';
import classes from './Automations.module.css';
import { channelLabel, delayWords, kindLabel } from './draft';
import { automationsQuery, useAutomationWrites } from './queries';
import type { RunStateName } from './search';

/** What happens to leads by itself, and how often it did. */
export function AutomationsPage() {
  const automations = useQuery(automationsQuery);
  const navigate = useNavigate();
  const why = usePermits().why('settings:manage');
  const begin = () => void navigate({ to: '/automations/new' });
  usePageKeys({ n: () => !why && begin() });
  const make = (
    <PermitButton why={why} onClick={begin}>
      New automation
    </PermitButton>
  );
  const rows = automations.data ?? [];
  return (
    <PageBody>
      <PageHead
        title="Automations"
        note={rows.length > 0 && <span className={classes.note}>{plural(rows.length, 'automation')}</span>}
      >
        {rows.length > 0 && make}
      </PageHead>
      {automations.isPending && <Skeleton h={240} />}
      {automations.isError && <Failure error={automations.error} retry={() => void automations.refetch()} />}
      {automations.data?.length === 0 && (
        <Empty title="No automations yet" action={make}>
          An automation takes care of leads by itself: a WhatsApp the moment somebody arrives, an SMS where that fails,
          an e-mail two hours later, a tag for whoever replies.
        </Empty>
      )}
      {rows.length > 0 && (
        <ScrollTable label="Automations">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Active</Table.Th>
              <Table.Th>Starts when</Table.Th>
              <Table.Th>Steps</Table.Th>
              <Table.Th ta="end">Triggered</Table.Th>
              <Table.Th ta="end">Completed</Table.Th>
              <Table.Th ta="end">Failed</Table.Th>
              <Table.Th ta="end">Skipped</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((automation) => (
              <Row key={automation.id} automation={automation} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </PageBody>
  );
}

function Row({ automation }: { automation: Automation }) {
  const { id, name, description, steps, stats, isActive } = automation;
  const params = { automationId: id };
  const count = (label: string, number: number, state?: RunStateName) => (
    <Cell label={label} className={classes.number}>
      <RouteLink to="/automations/$automationId" params={params} search={{ tab: 'runs', state }}>
        {formatCount(number)}
      </RouteLink>
    </Cell>
  );
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/automations/$automationId" params={params} fw={600} c="inherit">
          {name}
        </RouteLink>
        {description && <div className={`${classes.note} ${classes.wordy}`}>{description}</div>}
        <div className={classes.note}>
          {stats.lastTriggeredAt ? (
            <>
              Last started <Time at={stats.lastTriggeredAt} />
            </>
          ) : (
            'Never started'
          )}
        </div>
      </Cell>
      <Cell label="Active">
        <Toggle id={id} name={name} isActive={isActive} />
      </Cell>
      <Cell label="Starts when">
        <div className={classes.wordy}>
          <TriggerWords automation={automation} />
        </div>
      </Cell>
      <Cell label="Steps">
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no id, and a row here is never moved
          <div key={index} className={classes.stepWords}>
            {step.channel ? channelLabel(step.channel) : kindLabel(step.kind)},{' '}
            {delayWords(step.delayMinutes ?? 0).toLowerCase()}
            {step.fallbackChannel && ` (else ${channelLabel(step.fallbackChannel)})`}
          </div>
        ))}
      </Cell>
      {count('Triggered', stats.triggered)}
      {count('Completed', stats.completed, 'completed')}
      {count('Failed', stats.failed, 'failed')}
      {count('Skipped', stats.skipped, 'skipped')}
    </Table.Tr>
  );
}

/** What starts it, in words. */
export function TriggerWords({ automation }: { automation: Automation }) {
  const { trigger, webhookSourceId, webhookSourceName } = automation;
  const stages = (useQuery(pipelinesQuery).data ?? []).flatMap((pipeline) => pipeline.stages);
  const segments = useQuery(segmentsQuery).data ?? [];
  const segment = segments.find(({ id }) => id === trigger.segmentId)?.name ?? 'a segment that is gone';
  const by = webhookSourceId ? ` by ${webhookSourceName ?? 'a source that was deleted'}` : '';
  switch (trigger.event) {
    case 'lead.arrived':
      return `A lead arrives${by}`;
    case 'lead.created':
      return `A new lead arrives${by}`;
    case 'lead.re_engaged':
      return `A lead comes back${by}`;
    case 'lead.stage_changed':
      return `A lead comes into ${stages.find(({ id }) => id === trigger.stageId)?.name ?? 'a stage that is gone'}`;
    case 'lead.tag_added':
      return `A lead is tagged ${trigger.tag}`;
    case 'lead.score_crossed':
      return `A score reaches ${trigger.score}`;
    case 'lead.segment_entered':
      return `A lead comes into ${segment}`;
    case 'lead.segment_left':
      return `A lead leaves ${segment}`;
    case 'message.received':
      return trigger.tag ? `A message comes in, tagged ${trigger.tag}` : 'A message comes in';
  }
}

function Toggle({ id, name, isActive }: { id: string; name: string; isActive: boolean }) {
  const why = usePermits().why('settings:manage');
  const { change } = useAutomationWrites();
  const toggle = (next: boolean) =>
    change.mutate(
      { id, isActive: next },
      {
        onSuccess: () => toast(next ? `${name} is on` : `${name} is off: nothing more is sent`),
        onError: (error) => toastError(`${name} was not changed`, error),
      },
    );
  return (
    <Tooltip label={why} disabled={!why}>
      <Switch
        aria-label={`${name} is active`}
        checked={change.isPending ? (change.variables?.isActive ?? isActive) : isActive}
        readOnly={why !== undefined}
        aria-disabled={why !== undefined}
        onChange={(event) => !why && toggle(event.currentTarget.checked)}
      />
    </Tooltip>
  );
}
