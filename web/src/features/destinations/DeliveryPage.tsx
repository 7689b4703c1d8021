import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import type { Attempt, DeliveryDetail } from '@/api/shapes';
import { prettyJson } from '@/lib/text';
import { absoluteTime, duration } from '@/lib/time';
import { Failure, PageBody, PageHead, PermitButton, Section, State, Time } from '@/ui/basics';
import { CodeBlock, CopyButton } from '@/ui/Copy';
import { RouteLink } from '@/ui/RouteLink';
import classes from './Destinations.module.css';
import { DeliveryStateView, failureText } from './Health';
import { deliveryQuery, useReplay } from './queries';

const route = getRouteApi('/shell/deliveries/$deliveryId');

/** One event to one destination: what was sent, and what came back each time. */
export function DeliveryPage() {
  const { deliveryId } = route.useParams();
  const delivery = useQuery(deliveryQuery(deliveryId));
  return (
    <PageBody>
      {delivery.isPending && <Skeleton h={320} />}
      {delivery.isError && !delivery.data && <Failure error={delivery.error} retry={() => void delivery.refetch()} />}
      {delivery.data && <Loaded delivery={delivery.data} />}
    </PageBody>
  );
}

function Loaded({ delivery }: { delivery: DeliveryDetail }) {
  const why = usePermits().why('deliveries:replay');
  const replay = useReplay('deliveries');
  const { id, event, state, destinationId, destinationName, leadId, leadName, nextAttemptAt, attempts } = delivery;
  return (
    <>
      <PageHead title={event} note={<DeliveryStateView state={state} />}>
        <PermitButton why={why} loading={replay.isPending} onClick={() => replay.mutate(id)}>
          Replay
        </PermitButton>
      </PageHead>
      <Section title="Delivery">
        <dl className={classes.facts}>
          <dt>Destination</dt>
          <dd>
            <RouteLink to="/destinations/$destinationId" params={{ destinationId: destinationId }}>
              {destinationName}
            </RouteLink>
          </dd>
          {leadId && (
            <>
              <dt>Lead</dt>
              <dd>
                <RouteLink to="/leads/$leadId" params={{ leadId: leadId }}>
                  {leadName ?? 'Lead'}
                </RouteLink>
              </dd>
            </>
          )}
          <dt>Delivery id</dt>
          <dd className={classes.copyable}>
            <span>{id}</span> <CopyButton value={id} label="Copy the delivery id" />
          </dd>
          <dt>Created</dt>
          <dd>
            <Time at={delivery.createdAt} />
          </dd>
          {state === 'pending' && nextAttemptAt && (
            <>
              <dt>Next try</dt>
              <dd>
                <Time at={nextAttemptAt} />
              </dd>
            </>
          )}
        </dl>
      </Section>
      <Section title={attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`} flush>
        {attempts.length === 0 && <div className={classes.attempt}>None yet.</div>}
        {attempts.map((attempt) => (
          <AttemptView key={attempt.id} attempt={attempt} />
        ))}
      </Section>
      <Section title="Request body" aside={<span className={classes.dim}>the same at each attempt</span>}>
        {delivery.payload ? (
          <CodeBlock text={prettyJson(delivery.payload)} label="Payload as sent" />
        ) : (
          <span className={classes.dim}>It holds personal data, which is not shown to your role.</span>
        )}
      </Section>
    </>
  );
}

const headerText = (headers: Record<string, string> | null | undefined) =>
  Object.entries(headers ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');

function AttemptView({ attempt }: { attempt: Attempt }) {
  const { number, status, error, startedAt, durationMs, requestHeaders, responseHeaders, responseBody } = attempt;
  const good = status != null && status >= 200 && status < 300;
  return (
    <article className={classes.attempt} aria-label={`Attempt ${number}`}>
      <div className={classes.attemptHead}>
        <strong>#{number}</strong>
        <State color={good ? 'green' : 'red'}>{good ? `HTTP ${status}` : failureText(status, error)}</State>
        <span className={classes.dim}>{absoluteTime(startedAt)}</span>
        <span className={classes.dim}>{duration(durationMs)}</span>
      </div>
      <div className={classes.columns}>
        <div>
          <h3>Request headers</h3>
          <CodeBlock text={headerText(requestHeaders)} label={`Request headers of attempt ${number}`} wrap />
        </div>
        {(responseBody || Object.keys(responseHeaders ?? {}).length > 0) && (
          <div>
            <h3>Response</h3>
            <CodeBlock
              text={[headerText(responseHeaders), responseBody].filter(Boolean).join('\n\n')}
              label={`Response of attempt ${number}`}
              wrap
            />
          </div>
        )}
      </div>
    </article>
  );
}
