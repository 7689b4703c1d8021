import { Button, Select, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { withQuery } from '@/api/client';
import { usePermits } from '@/api/session';
import type { Capture } from '@/api/shapes';
import { Empty, Failure, PageBody, PageHead, SafeLink, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { capturesQuery, widgetsQuery } from './queries';
import classes from './Sources.module.css';

const route = getRouteApi('/shell/captures');

/** What came in last, as it comes in. */
export function CapturesPage() {
  const { widget } = route.useSearch();
  const navigate = useNavigate({ from: '/captures' });
  const mayListWidgets = usePermits().can('sources:manage');
  const widgets = useQuery({ ...widgetsQuery, enabled: mayListWidgets }).data ?? [];
  const captures = useQuery(capturesQuery(widget));
  return (
    <PageBody>
      <PageHead title="Captures" note={<span className={classes.meta}>The last 100, live</span>}>
        <Button
          component="a"
          href={withQuery('/v1/capture/captures/export.csv', { widgetId: widget })}
          variant="default"
        >
          Export CSV
        </Button>
      </PageHead>
      {widgets.length > 0 && (
        <Select
          className={classes.filter}
          size="xs"
          aria-label="Widget"
          placeholder="All sources"
          clearable
          data={widgets.map(({ id, name }) => ({ value: id, label: name }))}
          value={widget ?? null}
          onChange={(id) => void navigate({ search: id ? { widget: id } : {}, replace: true })}
        />
      )}
      {captures.isError && <Failure error={captures.error} retry={() => void captures.refetch()} />}
      {captures.isPending && <Skeleton h={400} />}
      {captures.data?.length === 0 && (
        <Empty title="Nothing captured yet">
          Each submission of a form, a widget or a chat is listed here for 90 days, with the page it came from.
        </Empty>
      )}
      {captures.data && captures.data.length > 0 && (
        <ScrollTable label="Captures" isOld={captures.isPlaceholderData}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>When</Table.Th>
              <Table.Th>Name</Table.Th>
              <Table.Th>Phone</Table.Th>
              <Table.Th>Message</Table.Th>
              <Table.Th>From page</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {captures.data.map((capture) => (
              <Row key={capture.id} capture={capture} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </PageBody>
  );
}

/** Clicking anywhere opens the lead at its conversation; the name is the link for the keyboard. */
function Row({ capture }: { capture: Capture }) {
  const { leadId, conversationId, name, phone, message, pageUrl, capturedAt } = capture;
  const navigate = useNavigate();
  const hash = conversationId ? `conversation-${conversationId}` : undefined;
  return (
    <Table.Tr
      className={classes.row}
      onClick={({ target }) => {
        const isLink = (target as Element).closest('a');
        if (!isLink) void navigate({ to: '/leads/$leadId', params: { leadId }, hash });
      }}
    >
      <Cell>
        <Time at={capturedAt} />
      </Cell>
      <Cell>
        <RouteLink to="/leads/$leadId" params={{ leadId }} hash={hash} fw={600} c="inherit">
          {name ?? 'No name'}
        </RouteLink>
      </Cell>
      <Cell>{phone}</Cell>
      <Cell label="Message">
        <span className={classes.cut} title={message ?? undefined}>
          {message}
        </span>
      </Cell>
      <Cell label="From page">
        {pageUrl && (
          <span className={classes.cut} title={pageUrl}>
            <SafeLink url={pageUrl}>{pageUrl.replace(/^https?:\/\//, '')}</SafeLink>
          </span>
        )}
      </Cell>
    </Table.Tr>
  );
}
