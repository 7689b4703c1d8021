import { Button, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { segmentsQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import type { Segment } from '@/api/shapes';
import { formatCount, plural } from '@/lib/text';
import { Empty, Failure, PageBody, PageHead, PermitButton, Time } from '@/ui/basics';
import { type Group, groupOf, type Node } from '@/ui/filter/conditions';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { useConditionWords } from './FilterChips';
import classes from './Segments.module.css';
import { segmentQuery } from './segmentQueries';

/** Named conditions, and who is in them now. */
export function SegmentsPage() {
  const segments = useQuery(segmentsQuery);
  const navigate = useNavigate();
  const why = usePermits().why('leads:manage');
  const make = (
    <PermitButton why={why} onClick={() => void navigate({ to: '/segments/new' })}>
      New segment
    </PermitButton>
  );
  return (
    <PageBody>
      <PageHead
        title="Segments"
        note={segments.data && <span className={classes.note}>{plural(segments.data.length, 'segment')}</span>}
      >
        {segments.data && segments.data.length > 0 && make}
      </PageHead>
      {segments.isPending && <Skeleton h={240} />}
      {segments.isError && <Failure error={segments.error} retry={() => void segments.refetch()} />}
      {segments.data?.length === 0 && (
        <Empty title="No segments yet" action={make}>
          A segment is a name for conditions, such as hot leads of this month from search. Whoever meets them is in it,
          at once and for as long as they do.
        </Empty>
      )}
      {segments.data && segments.data.length > 0 && (
        <ScrollTable label="Segments">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Conditions</Table.Th>
              <Table.Th>Leads</Table.Th>
              <Table.Th>Contacts</Table.Th>
              <Table.Th>Changed</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {segments.data.map((segment) => (
              <Row key={segment.id} segment={segment} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </PageBody>
  );
}

function Row({ segment }: { segment: Segment }) {
  const { id, name, description, filter, updatedAt } = segment;
  const counts = useQuery(segmentQuery(id)).data;
  const words = useConditionWords();
  const group = groupOf(filter);
  return (
    <Table.Tr>
      <Cell>
        <RouteLink to="/segments/$segmentId" params={{ segmentId: id }} fw={600} c="inherit">
          {name}
        </RouteLink>
        {description && <div className={classes.note}>{description}</div>}
      </Cell>
      <Cell label="Conditions">{group && group.children.length > 0 ? listed(group, words) : 'Every lead'}</Cell>
      <Cell label="Leads">
        {counts ? (
          <RouteLink to="/leads" search={{ segmentId: id }}>
            {formatCount(counts.leadCount, counts.leadCountIsCapped)}
          </RouteLink>
        ) : (
          <Skeleton h={14} w={32} />
        )}
      </Cell>
      <Cell label="Contacts">
        {counts ? (
          <RouteLink to="/contacts" search={{ segmentId: id }}>
            {formatCount(counts.contactCount, counts.contactCountIsCapped)}
          </RouteLink>
        ) : (
          <Skeleton h={14} w={32} />
        )}
      </Cell>
      <Cell label="Changed">
        <Time at={updatedAt} />
      </Cell>
    </Table.Tr>
  );
}

const WORDY = 3;

/** The first conditions in words, with what stands between them. */
function listed({ match, children }: Group, words: (node: Node) => string): string {
  const between = match === 'all' ? ' and ' : ' or ';
  const rest = children.length > WORDY ? `${between}${children.length - WORDY} more` : '';
  return children.slice(0, WORDY).map(words).join(between) + rest;
}

export const BackToSegments = () => (
  <Button component={Link} to="/segments" variant="subtle" size="compact-sm" ml={-8}>
    All segments
  </Button>
);
