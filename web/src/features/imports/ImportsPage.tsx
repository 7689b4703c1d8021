import { Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { ImportRow } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { Failure, PageBody, PageHead, Section, State, Time } from '@/ui/basics';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { DropZone } from './DropZone';
import classes from './Imports.module.css';
import { IMPORT_PAGE, importsQuery } from './queries';
import { stateWords } from './words';

const route = getRouteApi('/shell/imports');

/** Files of leads: a place to bring one, and those that were brought. */
export function ImportsPage() {
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/imports' });
  const imports = useQuery(importsQuery(page));
  return (
    <PageBody>
      <PageHead title="Import leads" />
      <DropZone />
      {imports.isError && <Failure error={imports.error} retry={() => void imports.refetch()} />}
      {imports.isPending && <Skeleton h={160} />}
      {imports.data && imports.data.total === 0 && (
        <p className={classes.small}>
          You see the columns and what would become of each row before any lead is made. What an import made can be put
          back for 30 days.
        </p>
      )}
      {imports.data && imports.data.total > 0 && (
        <Section title="Earlier files" flush>
          <ScrollTable label="Earlier files" isOld={imports.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>File</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Rows</Table.Th>
                <Table.Th>New</Table.Th>
                <Table.Th>Changed</Table.Th>
                <Table.Th>Refused</Table.Th>
                <Table.Th>Brought by</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {imports.data.data.map((row) => (
                <Row key={row.id} row={row} />
              ))}
            </Table.Tbody>
          </ScrollTable>
        </Section>
      )}
      {imports.data && (
        <Pager
          page={page}
          limit={IMPORT_PAGE}
          total={imports.data.total}
          totalIsCapped={imports.data.totalIsCapped}
          onPage={(to) => void navigate({ search: { page: to } })}
        />
      )}
    </PageBody>
  );
}

function Row({ row }: { row: ImportRow }) {
  const { words, color } = stateWords(row.job);
  const counted = row.job ? row.tally : undefined;
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/imports/$importId" params={{ importId: row.id }} fw={600} c="inherit">
          {row.fileName}
        </RouteLink>
      </Cell>
      <Cell>
        <State color={color}>{words}</State>
      </Cell>
      <Cell label="Rows">{formatCount(row.rowCount)}</Cell>
      <Cell label="New" beside={!counted}>
        {counted && formatCount(counted.created)}
      </Cell>
      <Cell label="Changed" beside={!counted}>
        {counted && formatCount(counted.updated)}
      </Cell>
      <Cell label="Refused" beside={!counted}>
        {counted && formatCount(counted.refused)}
      </Cell>
      <Cell label="Brought by">
        {row.madeBy} · <Time at={row.createdAt} />
      </Cell>
    </Table.Tr>
  );
}
