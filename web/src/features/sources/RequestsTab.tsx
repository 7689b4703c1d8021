import { Alert, Button, Group, Select, Skeleton, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import { messageOf } from '@/api/problem';
import type { InboundRequest, InboundWebhook, LeadPreview, ReplayResult } from '@/api/shapes';
import { asText, prettyJson } from '@/lib/text';
import { Empty, Failure, State, Time } from '@/ui/basics';
import { CodeBlock } from '@/ui/Copy';
import { RouteLink } from '@/ui/RouteLink';
import { toast, toastError } from '@/ui/toast';
import { type LookAgain, previewQuery, requestsQuery, sourceKeys, useReplayRequest, useSourceWrite } from './queries';
import { FORMATS } from './Reception';
import classes from './Sources.module.css';
import { isSameMapping, mappingText, parseMapping } from './WebhookDialog';

/** How long to wait while somebody types a mapping. */
const TYPING_MS = 300;

interface Props {
  webhook: InboundWebhook;
  /** The request that is looked at; the newest where none is chosen. */
  chosen?: string;
  onChoose: (id: string) => void;
}

/** The last requests as they came, and beside one of them what is made of it. */
export function RequestsTab({ webhook, chosen, onChoose }: Props) {
  const requests = useQuery(requestsQuery(webhook.id));
  const rows = requests.data ?? [];
  const request = rows.find(({ id }) => id === chosen) ?? rows[0];
  if (requests.isPending) return <Skeleton h={240} mt="sm" />;
  if (requests.isError && !requests.data) {
    return <Failure error={requests.error} retry={() => void requests.refetch()} />;
  }
  if (!request) {
    return (
      <Empty title="No requests yet">
        What is sent to the address of this webhook appears here as it came, what was refused included.
      </Empty>
    );
  }
  return (
    <div className={classes.requests}>
      <ul className={classes.list} aria-label="Last requests">
        {rows.map((row) => (
          <li key={row.id}>
            <button
              type="button"
              className={classes.request}
              aria-current={row.id === request.id}
              onClick={() => onChoose(row.id)}
            >
              <Outcome request={row} />
              <span className={classes.meta}>
                <Time at={row.receivedAt} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      <Inspector key={request.id} webhook={webhook} request={request} />
    </div>
  );
}

function Outcome({ request: { status, code } }: { request: InboundRequest }) {
  return code ? <State color="red">{`Refused: ${code} (${status})`}</State> : <State color="green">Accepted</State>;
}

function Inspector({ webhook, request }: { webhook: InboundWebhook; request: InboundRequest }) {
  const [format, setFormat] = useState(webhook.format);
  const [mapping, setMapping] = useState(mappingText(webhook.fieldMapping));
  const [typed] = useDebouncedValue(mapping, TYPING_MS);
  const fieldMapping = parseMapping(mapping);
  const look = (read: typeof fieldMapping): LookAgain => ({ format, fieldMapping: read ?? {} });
  const isChanged = format !== webhook.format || !fieldMapping || !isSameMapping(fieldMapping, webhook.fieldMapping);
  const isReadable = request.body !== null && request.body !== undefined;
  return (
    <div>
      <Group gap="sm">
        <Outcome request={request} />
        <span className={classes.meta}>
          {[request.contentType, request.userAgent, request.ip].filter(Boolean).join(', ')}
        </span>
        {request.leadId && (
          <RouteLink to="/leads/$leadId" params={{ leadId: request.leadId }}>
            Open the lead
          </RouteLink>
        )}
      </Group>
      {!isReadable && <Alert mt="sm">What a request holds is personal data, which is not shown to your role.</Alert>}
      {isReadable && (
        <div className={classes.columns}>
          <div>
            <h3>As it came</h3>
            <Headers headers={request.headers} />
            <CodeBlock text={prettyJson(request.body ?? '')} label="Body as it came" wrap />
          </div>
          <div>
            <h3>What is made of it</h3>
            <Select
              label="Sender"
              allowDeselect={false}
              data={FORMATS}
              value={format}
              onChange={(value) => setFormat(value ?? 'auto')}
            />
            <Textarea
              label="Field mapping"
              description="Change it and see; nothing is saved yet."
              placeholder="job_title = title"
              autosize
              minRows={2}
              mt="xs"
              value={mapping}
              error={fieldMapping ? undefined : 'Write one "their_field = our_field" a line.'}
              onChange={(event) => setMapping(event.currentTarget.value)}
            />
            <Preview webhookId={webhook.id} requestId={request.id} look={look(parseMapping(typed))} />
            <Actions
              webhook={webhook}
              requestId={request.id}
              look={look(fieldMapping)}
              isReadable={fieldMapping !== null}
              isChanged={isChanged}
            />
          </div>
        </div>
      )}
    </div>
  );
}

function Headers({ headers }: { headers: Record<string, unknown> }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${asText(value)}`);
  return lines.length > 0 ? <CodeBlock text={lines.join('\n')} label="Headers as they came" wrap /> : null;
}

interface LookProps {
  requestId: string;
  look: LookAgain;
}

function Preview({ webhookId, requestId, look }: LookProps & { webhookId: string }) {
  const preview = useQuery(previewQuery(webhookId, requestId, look));
  if (preview.isPending) return <Skeleton h={120} mt="sm" />;
  if (preview.isError) return <Alert mt="sm">{messageOf(preview.error)}</Alert>;
  const { leads, notices } = preview.data;
  return (
    <section aria-label="Preview" aria-live="polite">
      {leads.map((lead, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the leads of a request have no other name than their place
        <LeadFacts key={index} lead={lead} />
      ))}
      {notices.length > 0 && <p>Leads to be fetched from Facebook: {notices.join(', ')}</p>}
      {leads.length + notices.length === 0 && <p>It is about nobody, and nothing is made of it.</p>}
    </section>
  );
}

function LeadFacts({ lead }: { lead: LeadPreview }) {
  const { format, key, isEnough, touch, customFields, ...core } = lead;
  const labels = (customFields._displayNames ?? {}) as Record<string, string>;
  const custom = Object.entries(customFields).filter(([name]) => name !== '_displayNames');
  const facts: [string, unknown][] = [
    ['Taken for', FORMATS.find(({ value }) => value === format)?.label ?? format],
    ...Object.entries(core).filter(([, value]) => value !== null && value !== undefined),
    ...Object.entries(touch).filter(([name]) => name !== 'pageUrl' && name !== 'referrer'),
    ...custom.map(([name, value]): [string, unknown] => [labels[name] ?? name, value]),
    ['Key', key ?? 'None: a repeat is another submission'],
  ];
  return (
    <>
      {!isEnough && (
        <Alert color="yellow" mt="sm">
          There is no name, e-mail or phone in it, so it is refused. Map one of its fields.
        </Alert>
      )}
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </>
  );
}

function Fact({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{typeof value === 'object' ? JSON.stringify(value) : asText(value)}</dd>
    </>
  );
}

/** What became of a replay, in one sentence. */
export function replayWords({ receipts }: ReplayResult): string {
  const refused = receipts.find(({ code }) => code);
  if (refused) return `Refused: ${refused.code}`;
  if (receipts.length === 0) return 'Nothing is made of it';
  return receipts.every(({ duplicate }) => duplicate) ? 'It belongs to a lead that was there' : 'A lead was made of it';
}

interface ActionsProps extends LookProps {
  webhook: InboundWebhook;
  /** Whether the mapping can be read; one that cannot is neither tried for good nor saved. */
  isReadable: boolean;
  isChanged: boolean;
}

function Actions({ webhook, requestId, look, isReadable, isChanged }: ActionsProps) {
  const replay = useReplayRequest(webhook.id, requestId);
  const save = useSourceWrite(sourceKeys.webhooks, (body: LookAgain) =>
    api.patch<InboundWebhook>(`/v1/identity/lead-webhooks/${webhook.id}`, body),
  );
  return (
    <Group gap="sm" mt="sm">
      <Button
        disabled={!isReadable}
        loading={replay.isPending}
        onClick={() =>
          replay.mutate(look, {
            onSuccess: (result) => toast(replayWords(result)),
            onError: (error) => toastError('It was not replayed', error),
          })
        }
      >
        Replay like this
      </Button>
      {isChanged && (
        <Button
          variant="default"
          disabled={!isReadable}
          loading={save.isPending}
          onClick={() =>
            save.mutate(look, {
              onSuccess: () => toast(`Saved ${webhook.name}; the next requests are read like this`),
              onError: (error) => toastError('It was not saved', error),
            })
          }
        >
          Save for the next requests
        </Button>
      )}
    </Group>
  );
}
