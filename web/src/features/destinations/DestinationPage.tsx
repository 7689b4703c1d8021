import { Alert, Anchor, Button, Menu, Skeleton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { Destination, TestResult } from '@/api/shapes';
import { formatCount, plural } from '@/lib/text';
import { absoluteTime, duration } from '@/lib/time';
import { Failure, PageBody, PageHead, PermitButton, Section, State, Tag, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { CodeBlock, CopyButton } from '@/ui/Copy';
import { SecretOnce } from '@/ui/SecretOnce';
import { toast } from '@/ui/toast';
import { goalWords, platformOf } from './conversions';
import { Deliveries } from './Deliveries';
import { DestinationDialog } from './DestinationDialog';
import classes from './Destinations.module.css';
import { formatOf } from './formats';
import { failureText, Health, rateWords } from './Health';
import { destinationQuery, useDeleteDestination, useSetActive, useTestDestination } from './queries';
import { RenewSecret } from './RenewSecret';
import { ruleWords } from './rules';
import { Sparkline } from './Sparkline';

const route = getRouteApi('/shell/destinations/$destinationId');

export function DestinationPage() {
  const { destinationId } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/destinations/$destinationId' });
  const destination = useQuery(destinationQuery(destinationId));
  return (
    <PageBody>
      {destination.isPending && <Skeleton h={240} />}
      {destination.isError && !destination.data && (
        <Failure error={destination.error} retry={() => void destination.refetch()} />
      )}
      {destination.data && (
        <>
          <Summary
            destination={destination.data}
            onDeleted={() => void navigate({ to: '/destinations', search: {} })}
          />
          <Deliveries
            destinationId={destinationId}
            search={search}
            onSearch={(next) => void navigate({ search: next })}
          />
        </>
      )}
    </PageBody>
  );
}

type Dialog = 'edit' | 'secret' | 'delete' | null;

function Summary({ destination, onDeleted }: { destination: Destination; onDeleted: () => void }) {
  const manage = usePermits().why('destinations:manage');
  const [dialog, setDialog] = useState<Dialog>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const setActive = useSetActive();
  const remove = useDeleteDestination();
  const test = useTestDestination();
  const close = () => setDialog(null);
  const { id, name, isActive } = destination;
  return (
    <>
      <PageHead title={name} note={<Health destination={destination} />}>
        <PermitButton
          variant="default"
          why={manage}
          loading={setActive.isPending}
          onClick={() => setActive.mutate({ id, name, isActive: !isActive })}
        >
          {isActive ? 'Pause' : 'Resume'}
        </PermitButton>
        <PermitButton variant="default" why={manage} onClick={() => setDialog('edit')}>
          Edit
        </PermitButton>
        {!manage && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" rightSection={<IconChevronDown size={14} />}>
                More
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => setDialog('secret')}>Regenerate the secret…</Menu.Item>
              <Menu.Item onClick={() => setDialog('delete')}>Delete…</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </PageHead>
      {!isActive && destination.disabledReason && (
        <Alert color="red" mb="md" title="Disabled">
          {destination.disabledReason} Nothing is sent until you resume it.
        </Alert>
      )}
      {isActive && destination.health.breaker && <HeldBack breaker={destination.health.breaker} />}
      <Section title="Last 24 hours">
        <HealthFigures health={destination.health} />
      </Section>
      <Section
        title="Delivery"
        actions={
          <PermitButton why={manage} loading={test.isPending} onClick={() => test.mutate(id)}>
            Send a test
          </PermitButton>
        }
      >
        <Facts destination={destination} />
        <TestOutcome result={test.data} error={test.error} />
      </Section>
      <DestinationDialog
        opened={dialog === 'edit'}
        destination={destination}
        onClose={close}
        onSaved={() => {
          close();
          toast('Saved');
        }}
      />
      <RenewSecret destinationId={id} opened={dialog === 'secret'} onClose={close} onRenewed={setSecret} />
      <Confirm
        opened={dialog === 'delete'}
        title={`Delete ${name}`}
        verb="Delete"
        onClose={close}
        onConfirm={async () => {
          await remove.mutateAsync(id);
          toast(`Deleted ${name}`);
          onDeleted();
        }}
      >
        Nothing more is sent to it. What is waiting is cancelled.
      </Confirm>
      <SecretOnce
        title={`The secret of ${name}`}
        what="The receiver checks the signature of each delivery with it."
        secret={secret}
        onStored={() => setSecret(null)}
      />
    </>
  );
}

const PLAN_WORDS: Record<string, string> = {
  standard: 'Standard: three quick tries, then up to a day',
  fast: 'Fast: three quick tries',
  none: 'None: one try',
};

function Facts({ destination }: { destination: Destination }) {
  const { id, url, events, format, retryPlan, headerNames, secretLast4, previousSecretUntil } = destination;
  const { oauth, clientCertificateSha256 } = destination;
  const goals = platformOf(format) ? goalWords(destination) : [];
  const rules = ruleWords(destination);
  return (
    <dl className={classes.facts}>
      <dt>URL</dt>
      <dd className={classes.copyable}>
        <span>{url}</span> <CopyButton value={url} label="Copy the URL" />
      </dd>
      <dt>Events</dt>
      <dd>
        {events.map((event) => (
          <Tag key={event}>{event}</Tag>
        ))}
      </dd>
      <dt>Format</dt>
      <dd>{formatOf(format)?.label ?? format}</dd>
      {goals.length > 0 && (
        <>
          <dt>Conversions</dt>
          <dd>
            {goals.join('; ')}
            {format === 'google_ads' && (
              <>
                {' '}
                <Anchor href={`/v1/delivery/destinations/${id}/conversions.csv`} fz="inherit" download>
                  Download the file for Google Ads
                </Anchor>
              </>
            )}
          </dd>
        </>
      )}
      {oauth && (
        <>
          <dt>OAuth</dt>
          <dd>
            tokens from {oauth.tokenUrl} as {oauth.clientId}
          </dd>
        </>
      )}
      {clientCertificateSha256 && (
        <>
          <dt>Certificate</dt>
          <dd>SHA-256 {clientCertificateSha256}</dd>
        </>
      )}
      <dt>Retry plan</dt>
      <dd>{PLAN_WORDS[retryPlan] ?? retryPlan}</dd>
      {headerNames.length > 0 && (
        <>
          <dt>Headers</dt>
          <dd>{headerNames.join(', ')}</dd>
        </>
      )}
      {rules.length > 0 && (
        <>
          <dt>Rules</dt>
          <dd>{rules.join(', ')}</dd>
        </>
      )}
      <dt>Secret</dt>
      <dd>
        ends in {secretLast4}
        {previousSecretUntil && <>; the one before signs as well until {absoluteTime(previousSecretUntil)}</>}
      </dd>
    </dl>
  );
}

/** That the receiver does not answer, and what happens next without anybody's help. */
function HeldBack({ breaker }: { breaker: NonNullable<Destination['health']['breaker']> }) {
  const { openedAt, nextProbeAt, failedProbes } = breaker;
  return (
    <Alert color="red" mb="md" title="Deliveries are held back">
      20 attempts in a row failed, the last <Time at={openedAt} />. Deliveries wait and use up none of their attempts.
      One at a time is sent to see whether the receiver answers again
      {failedProbes > 0 && `, ${plural(failedProbes, 'time')} in vain so far`}; the next <Time at={nextProbeAt} />. When
      it answers, all go out.
    </Alert>
  );
}

/** How it fares, in figures. */
function HealthFigures({ health }: { health: Destination['health'] }) {
  const { delivered24h, failed24h, pending, dead, skipped, p95Ms, hours, lastFailure, lastFailedAt } = health;
  return (
    <>
      <div className={classes.figures}>
        <Sparkline hours={hours} />
        <Figure name="Arrived" value={rateWords(health)} />
        <Figure name="Attempts" value={formatCount(delivered24h + failed24h)} />
        <Figure name="Failed" value={formatCount(failed24h)} />
        <Figure name="95 of 100 within" value={p95Ms == null ? '–' : duration(p95Ms)} />
        <Figure name="Waiting" value={formatCount(pending)} />
        <Figure name="Dead letters" value={formatCount(dead)} />
        {skipped > 0 && <Figure name="Skipped" value={formatCount(skipped)} />}
      </div>
      {lastFailure && lastFailedAt && (
        <p className={classes.lastFailure}>
          Last error <Time at={lastFailedAt} />: <span className={classes.bad}>{lastFailure}</span>
        </p>
      )}
    </>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className={classes.figure}>
      <span>{name}</span>
      <strong>{value}</strong>
    </div>
  );
}

/** What came back from the made-up lead. */
function TestOutcome({ result, error }: { result: TestResult | undefined; error: unknown }) {
  if (error) return <Failure error={error} />;
  if (!result) return null;
  const good = result.status != null && result.status >= 200 && result.status < 300;
  return (
    <div className={classes.result} role="status">
      <State color={good ? 'green' : 'red'}>
        Test: {good ? `HTTP ${result.status}` : failureText(result.status, result.error)} in{' '}
        {duration(result.durationMs)}
      </State>
      {result.responseBody && <CodeBlock text={result.responseBody} label="Response body" wrap />}
    </div>
  );
}
