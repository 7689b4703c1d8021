import { Anchor, Button, Group, Select, Skeleton, Table, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { withQuery } from '@/api/client';
import { membersQuery } from '@/api/lookups';
import type { AuditEntry } from '@/api/shapes';
import { absoluteTime } from '@/lib/time';
import { Empty, Failure, Section } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { type AuditSearch, auditAsked } from './auditSearch';
import { changeWords, deedWords, KINDS, type Names } from './auditWords';
import { auditQuery } from './queries';
import classes from './Settings.module.css';

const route = getRouteApi('/shell/settings/audit');

export function AuditLog() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const log = useQuery(auditQuery(search));
  const members = useQuery(membersQuery).data ?? [];
  const names = new Map(members.map(({ id, name }) => [id, name]));
  const { page: _page, ...filter } = search;
  const isFiltered = Object.keys(filter).length > 0;
  const ask = (change: Partial<AuditSearch>) => void navigate({ search: { ...filter, ...change } });
  return (
    <Section
      title="Audit log"
      flush
      actions={
        <Button
          component="a"
          variant="default"
          href={withQuery('/v1/admin/audit/export.csv', auditAsked(filter))}
          download
        >
          Download CSV
        </Button>
      }
    >
      <Group gap="xs" className={classes.filters}>
        <Select
          size="xs"
          aria-label="Done by"
          placeholder="Anybody"
          clearable
          searchable
          data={members.map(({ id, name }) => ({ value: id, label: name }))}
          value={search.actor ?? null}
          onChange={(actor) => ask({ actor: actor ?? undefined })}
        />
        <Select
          size="xs"
          aria-label="About"
          placeholder="About anything"
          clearable
          data={[...KINDS]}
          value={search.action ?? null}
          onChange={(action) => ask({ action: action ?? undefined })}
        />
        <TextInput
          size="xs"
          type="date"
          aria-label="From"
          value={search.from ?? ''}
          onChange={(event) => ask({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          size="xs"
          type="date"
          aria-label="To"
          value={search.to ?? ''}
          onChange={(event) => ask({ to: event.currentTarget.value || undefined })}
        />
        {isFiltered && (
          <Button variant="subtle" onClick={() => void navigate({ search: {} })}>
            Show all
          </Button>
        )}
      </Group>
      {log.isPending && <Skeleton h={320} />}
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.data?.data.length === 0 && (
        <Empty title="Nothing was done">
          {isFiltered ? 'Ask for another time or person.' : 'What people change stands here.'}
        </Empty>
      )}
      {log.data && log.data.data.length > 0 && (
        <>
          <ScrollTable label="Audit log" isOld={log.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What</Table.Th>
                <Table.Th>To what</Table.Th>
                <Table.Th>By</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>When</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {log.data.data.map((entry) => (
                <EntryRow key={entry.id} entry={entry} names={names} onObject={(object) => ask({ object })} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager {...log.data} onPage={(page) => void navigate({ search: { ...filter, page } })} />
        </>
      )}
    </Section>
  );
}

interface EntryRowProps {
  entry: AuditEntry;
  names: Names;
  onObject: (id: string) => void;
}

function EntryRow({ entry, names, onObject }: EntryRowProps) {
  const { action, actor, object, data, at } = entry;
  const more = changeWords(data, names);
  return (
    <Table.Tr>
      <Cell title={action}>
        {deedWords(action)}
        {more && <div className={classes.more}>{more}</div>}
      </Cell>
      <Cell label="To what" beside={!object.name}>
        {object.id && object.name ? (
          <Anchor
            component="button"
            fz="inherit"
            title="Show everything that was done to it"
            onClick={() => onObject(object.id ?? '')}
          >
            {object.name}
          </Anchor>
        ) : (
          object.name
        )}
      </Cell>
      <Cell label="By">
        {actor.name}
        {actor.kind === 'token' && <span className={classes.dim}> (token)</span>}
      </Cell>
      <Cell label="From" beside={!actor.ip}>
        {actor.ip}
      </Cell>
      <Cell label="When" className={classes.when}>
        <time dateTime={at}>{absoluteTime(at)}</time>
      </Cell>
    </Table.Tr>
  );
}
