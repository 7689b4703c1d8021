import { Button, Skeleton, Table, Title } from '@mantine/core';
import { IconArrowLeft, IconDownload, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Consent, HeldPerson } from '@/api/shapes';
import { kindWords } from '@/lib/suppression';
import { formatCount } from '@/lib/text';
import { Empty, Failure, SafeLink, Section, State, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toastError } from '@/ui/toast';
import { EraseDialog } from './EraseDialog';
import classes from './Privacy.module.css';
import { exportPath, personQuery, useWithdraw } from './queries';
import { classWords, purposeWords } from './words';

/** What is held of one person, and what can be done about it. */
export function PersonView({ contactId }: { contactId: string }) {
  const person = useQuery(personQuery(contactId));
  return (
    <>
      <Link to="/settings/privacy" className={classes.back}>
        <IconArrowLeft size={14} aria-hidden="true" /> Find another person
      </Link>
      {person.isPending && <Skeleton h={320} mt="sm" />}
      {person.isError &&
        (person.error instanceof Problem && person.error.status === 404 ? (
          <Empty title="There is nobody any more">They were erased, or belong to another workspace.</Empty>
        ) : (
          <Failure error={person.error} retry={() => void person.refetch()} />
        ))}
      {person.data && <Loaded person={person.data} />}
    </>
  );
}

function Loaded({ person }: { person: HeldPerson }) {
  const [erasing, setErasing] = useState(false);
  const permits = usePermits();
  const held = person.held.filter(({ count }) => count > 0);
  return (
    <>
      <header className={classes.head}>
        <Title order={2}>{person.displayName}</Title>
        <span>{[person.email, person.phoneNumber].filter(Boolean).join(' · ')}</span>
        {person.suppressed.length > 0 && <State color="amber">Must not be written to</State>}
        <span className={classes.spacer} />
        <Button
          component="a"
          href={exportPath(person.contactId)}
          download
          variant="default"
          leftSection={<IconDownload size={14} />}
        >
          Export
        </Button>
        <Button color="red.9" leftSection={<IconTrash size={14} />} onClick={() => setErasing(true)}>
          Erase
        </Button>
      </header>
      <Section
        title="What is held"
        actions={
          <>
            <RouteLink to="/contacts/$contactId" params={{ contactId: person.contactId }}>
              Contact
            </RouteLink>
            {permits.can('audit:view') && (
              <RouteLink to="/settings/audit" search={{ object: person.contactId }}>
                Audit log
              </RouteLink>
            )}
          </>
        }
      >
        <dl className={classes.held}>
          {held.map(({ class: name, count, isCapped }) => (
            <div key={name}>
              <dt>{classWords(name)}</dt>
              <dd>{formatCount(count, isCapped)}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Consents contactId={person.contactId} consents={person.consents} />
      {person.suppressed.length > 0 && (
        <Section title="Must not be written to">
          <ul className={classes.list}>
            {person.suppressed.map((entry) => (
              <li key={entry.id}>
                {kindWords(entry.kind)}: {entry.note ?? 'no reason was given'}, by {entry.addedBy},{' '}
                <Time at={entry.addedAt} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      <EraseDialog person={person} opened={erasing} onClose={() => setErasing(false)} />
    </>
  );
}

function Consents({ contactId, consents }: { contactId: string; consents: Consent[] }) {
  if (consents.length === 0) {
    return (
      <Section title="Consents">
        No consent is on record. A ticked box counts when its name says so, such as newsletter, consent or gdpr.
      </Section>
    );
  }
  return (
    <Section title="Consents" flush>
      <ScrollTable label="Table of consents">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>To what</Table.Th>
            <Table.Th>Wording</Table.Th>
            <Table.Th>Given</Table.Th>
            <Table.Th>Where</Table.Th>
            <ActionsHead />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {consents.map((consent) => (
            <ConsentRow key={consent.id} contactId={contactId} consent={consent} />
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Section>
  );
}

function ConsentRow({ contactId, consent }: { contactId: string; consent: Consent }) {
  const withdraw = useWithdraw(contactId);
  const isOpen = !consent.withdrawnAt;
  return (
    <Table.Tr>
      <Cell>{purposeWords(consent.purpose)}</Cell>
      <Cell label="Wording">
        <span className={classes.wording}>{consent.wording}</span>
      </Cell>
      <Cell label="Given">
        <Time at={consent.givenAt} />
        {consent.withdrawnAt && (
          <>
            , withdrawn <Time at={consent.withdrawnAt} /> by {consent.withdrawnBy}
          </>
        )}
      </Cell>
      <Cell label="Where">
        {consent.pageUrl ? <SafeLink url={consent.pageUrl}>{consent.sourceName}</SafeLink> : consent.sourceName}
      </Cell>
      <Cell actions>
        {isOpen && (
          <Button
            variant="default"
            size="compact-xs"
            loading={withdraw.isPending}
            aria-label={`Withdraw the consent to ${purposeWords(consent.purpose)}`}
            onClick={() =>
              withdraw.mutate(consent.id, { onError: (error) => toastError('The consent was not withdrawn', error) })
            }
          >
            Withdraw
          </Button>
        )}
      </Cell>
    </Table.Tr>
  );
}
