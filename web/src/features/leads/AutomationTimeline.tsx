import { Button, Tooltip } from '@mantine/core';
import {
  IconAlertCircle,
  IconArrowsExchange,
  IconBan,
  IconBolt,
  IconCheck,
  IconClipboardCheck,
  IconLogout,
  IconRefresh,
} from '@tabler/icons-react';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { usePermits } from '@/api/session';
import type { AutomationLine } from '@/api/shapes';
import { humanise } from '@/lib/text';
import { PermitButton, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { toast, toastError } from '@/ui/toast';
import classes from './AutomationTimeline.module.css';
import { Block } from './LeadParts';
import { leadKeys } from './queries';

const timelineQuery = (leadId: string) =>
  queryOptions({
    queryKey: ['automations', 'timeline', leadId],
    queryFn: async ({ signal }) =>
      (await api.get<{ data: AutomationLine[] }>(`/v1/identity/leads/${leadId}/automation-timeline`, {}, signal)).data,
    staleTime: 5_000,
  });

/** The names by which the server calls the pictures. */
const ICONS: Record<string, typeof IconBolt> = {
  bolt: IconBolt,
  check: IconCheck,
  error: IconAlertCircle,
  swap: IconArrowsExchange,
  task: IconClipboardCheck,
  block: IconBan,
  exit: IconLogout,
  replay: IconRefresh,
};

const CHANNELS: Record<string, string> = { whatsapp: 'WhatsApp', sms: 'SMS', email: 'E-mail' };

/** What automations did for this lead, with how each message fares now. Nothing where none ever did anything. */
export function AutomationTimeline({ leadId }: { leadId: string }) {
  const timeline = useQuery(timelineQuery(leadId));
  if (!timeline.data || timeline.data.length === 0) return null;
  return (
    <Block title="Automations">
      <ol className={classes.lines}>
        {timeline.data.map((line) => (
          <Line key={line.id} line={line} leadId={leadId} />
        ))}
      </ol>
    </Block>
  );
}

function Line({ line, leadId }: { line: AutomationLine; leadId: string }) {
  const Icon = ICONS[line.icon] ?? IconBolt;
  const isBad = line.event === 'step_failed';
  return (
    <li className={classes.line}>
      <span className={classes.icon} data-bad={isBad || undefined}>
        <Icon size={16} stroke={1.6} aria-hidden="true" />
      </span>
      <div className={classes.what}>
        <div className={classes.head}>
          <span>{title(line)}</span>
          {line.deliveryStatus && <Status status={line.deliveryStatus} />}
        </div>
        <Because line={line} />
        <div className={classes.small}>
          {line.automationId && line.automationName && (
            <RouteLink to="/automations/$automationId" params={{ automationId: line.automationId }} c="inherit">
              {line.automationName}
            </RouteLink>
          )}{' '}
          · <Time at={line.at} />
          {line.event === 'retried' && ` · ${line.actorName}`}
        </div>
      </div>
      {line.canRetry && line.automationId && <Retry automationId={line.automationId} leadId={leadId} />}
    </li>
  );
}

/** "Step 2 sent by E-mail", "Fallback from WhatsApp to SMS". */
function title({ event, title: words, step, channel, fromChannel }: AutomationLine): string {
  const name = channel ? (CHANNELS[channel] ?? channel) : '';
  if (event === 'fallback') return `Fallback from ${CHANNELS[fromChannel ?? ''] ?? 'the first channel'} to ${name}`;
  if (!step) return words;
  const numbered = words.replace(/^Step/, `Step ${step}`);
  return name ? `${numbered} · ${name}` : numbered;
}

function Because({ line }: { line: AutomationLine }) {
  const words = line.error ?? line.reasonWords ?? (line.reason ? humanise(line.reason) : '');
  return words === '' ? null : <div className={classes.because}>{words}</div>;
}

const TICKS: Record<string, string> = { Sent: '✓', Delivered: '✓✓', Read: '✓✓' };

function Status({ status }: { status: string }) {
  return (
    <Tooltip
      label={status === 'Unknown' ? 'Nobody knows whether it arrived, so it is not sent again by itself' : status}
    >
      <span className={classes.status} data-status={status}>
        {TICKS[status] && <span aria-hidden="true">{TICKS[status]} </span>}
        {status}
      </span>
    </Tooltip>
  );
}

function Retry({ automationId, leadId }: { automationId: string; leadId: string }) {
  const why = usePermits().why('messaging:send');
  const client = useQueryClient();
  const retry = useMutation({
    mutationFn: () => api.post(`/v1/identity/lead-automations/${automationId}/retry/${leadId}`),
    onSuccess: () => toast('The step is being sent again'),
    onError: (error) => toastError('The step was not sent again', error),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['automations'] });
      void client.invalidateQueries({ queryKey: leadKeys.detail(leadId) });
    },
  });
  if (why) {
    return (
      <PermitButton why={why} variant="default" size="compact-xs">
        Retry
      </PermitButton>
    );
  }
  return (
    <Button variant="default" size="compact-xs" loading={retry.isPending} onClick={() => retry.mutate()}>
      Retry
    </Button>
  );
}
