import { Button, Skeleton, Switch, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { QuarantineEntry } from '@/api/shapes';
import { suspicionReason } from '@/lib/scores';
import { asText, humanise } from '@/lib/text';
import { dayOf } from '@/lib/time';
import { BlockIpButton } from '@/ui/BlockIp';
import { Empty, Failure, PermitButton, State, Time } from '@/ui/basics';
import { CodeBlock } from '@/ui/Copy';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Fraud.module.css';
import { FRAUD_PAGE, quarantineQuery, useRelease } from './queries';

const REASONS: Record<string, string> = {
  honeypot: 'Filled the field that people cannot see',
  rate_limited: 'Too many from one address',
  suspicion: 'Too suspicious',
};

interface QuarantineProps {
  all: boolean;
  page: number;
  onAll: (all: boolean) => void;
  onPage: (page: number) => void;
}

/** Submissions that were held back, for a person to decide about. */
export function Quarantine({ all, page, onAll, onPage }: QuarantineProps) {
  const entries = useQuery(quarantineQuery(all, page));
  return (
    <>
      <div className={classes.tools}>
        <Switch
          size="xs"
          label="Show released ones too"
          checked={all}
          onChange={(event) => onAll(event.currentTarget.checked)}
        />
        <span className={classes.dim}>Kept for 90 days, then deleted.</span>
      </div>
      {entries.isPending && <Skeleton h={240} />}
      {entries.isError && <Failure error={entries.error} retry={() => void entries.refetch()} />}
      {entries.data?.total === 0 && (
        <Empty title="Nothing is held back">
          Submissions that look like a bot's wait here. Release what came from a person, and it becomes a lead.
        </Empty>
      )}
      {entries.data && entries.data.total > 0 && (
        <>
          <ScrollTable label="Quarantine" isOld={entries.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Who</Table.Th>
                <Table.Th>Held back because</Table.Th>
                <Table.Th>Source</Table.Th>
                <Table.Th>Came</Table.Th>
                <ActionsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {entries.data.data.map((entry) => (
                <Row key={entry.id} entry={entry} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={FRAUD_PAGE}
            total={entries.data.total}
            totalIsCapped={entries.data.totalIsCapped}
            onPage={onPage}
          />
        </>
      )}
    </>
  );
}

function Row({ entry }: { entry: QuarantineEntry }) {
  const [open, setOpen] = useState(false);
  const why = usePermits().why('leads:manage');
  const release = useRelease();
  const { name, email, phone, message, ip, userAgent, fields, suspicion, suspicionReasons } = entry;
  const contact = [email, phone].filter(Boolean).join(' · ');
  return (
    <Table.Tr>
      <Cell>
        {name ?? contact}
        {name && contact && <div className={classes.dim}>{contact}</div>}
        {message && <div className={`${classes.dim} ${classes.wide}`}>{message}</div>}
        {ip && <div className={classes.dim}>{ip}</div>}
        {fields && (
          <Button ml={-7} variant="subtle" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide the fields' : 'All fields as sent'}
          </Button>
        )}
        {open && fields && (
          <CodeBlock
            wrap
            label="Fields as sent"
            text={[
              ...Object.entries(fields).map(([key, value]) => `${key}: ${asText(value)}`),
              `User agent: ${userAgent || 'none'}`,
            ].join('\n')}
          />
        )}
      </Cell>
      <Cell label="Because">
        <State color={entry.releasedAt ? 'gray' : 'red'}>{REASONS[entry.reason] ?? humanise(entry.reason)}</State>
        {suspicion > 0 && (
          <div className={classes.dim}>
            Suspicion {suspicion} of 100: {suspicionReasons.map(suspicionReason).join(', ')}
          </div>
        )}
      </Cell>
      <Cell label="Source">{entry.sourceName}</Cell>
      <Cell label="Came">
        <Time at={entry.receivedAt} />
        <div className={classes.dim}>Deleted on {dayOf(entry.expiresAt)}</div>
      </Cell>
      <Cell>
        <div className={classes.buttons}>
          {entry.leadId ? (
            <RouteLink to="/leads/$leadId" params={{ leadId: entry.leadId }}>
              Released by {entry.releasedBy}
            </RouteLink>
          ) : (
            <PermitButton
              size="compact-xs"
              why={why}
              loading={release.isPending}
              onClick={() => release.mutate(entry.id)}
            >
              Release
            </PermitButton>
          )}
          {ip && <BlockIpButton ip={ip} why={why} variant="default" size="compact-xs" />}
        </div>
      </Cell>
    </Table.Tr>
  );
}
