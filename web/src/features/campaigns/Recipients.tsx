import { NativeSelect, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { Campaign, CampaignRecipient } from '@/api/shapes';
import { Failure, Time } from '@/ui/basics';
import { MessageStatus } from '@/ui/MessageStatus';
import { Pager } from '@/ui/Pager';
import { RouteLink } from '@/ui/RouteLink';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Campaigns.module.css';
import { LIST_PAGE, recipientsQuery } from './queries';
import { readCampaignSearch, reasonWords, statusWords, whichOf } from './words';

const route = getRouteApi('/shell/campaigns/$campaignId');

/** Who got a campaign, and what became of each message. */
export function Recipients({ campaign }: { campaign: Campaign }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const recipients = useQuery(recipientsQuery(campaign.id, search));
  const page = search.page ?? 1;
  return (
    <>
      <div className={classes.filters}>
        <NativeSelect
          label="Show"
          value={search.which ?? ''}
          onChange={(event) => void navigate({ search: readCampaignSearch({ which: event.currentTarget.value }) })}
          data={whichOf(campaign).map(({ value, label }) => ({ value, label }))}
        />
      </div>
      {recipients.isPending && <Skeleton h={200} />}
      {recipients.isError && <Failure error={recipients.error} retry={() => void recipients.refetch()} />}
      {recipients.data?.data.length === 0 && <p className={classes.note}>Nobody.</p>}
      {recipients.data && recipients.data.data.length > 0 && (
        <>
          <ScrollTable label="Recipients" isOld={recipients.isPlaceholderData}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Address</Table.Th>
                <Table.Th>Status</Table.Th>
                <Table.Th>Opened</Table.Th>
                <Table.Th>Clicked</Table.Th>
                <Table.Th>Answer</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {recipients.data.data.map((recipient) => (
                <Row key={recipient.contactId} recipient={recipient} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          <Pager
            page={page}
            limit={LIST_PAGE}
            total={recipients.data.total}
            totalIsCapped={recipients.data.totalIsCapped}
            onPage={(next) => void navigate({ search: { ...search, page: next > 1 ? next : undefined } })}
          />
        </>
      )}
    </>
  );
}

function Row({ recipient }: { recipient: CampaignRecipient }) {
  const { leadId, leadName, address, status, reason, error, messageId } = recipient;
  const why = error ?? reasonWords(reason);
  return (
    <Table.Tr>
      <Cell>
        {leadName ? (
          <RouteLink to="/leads/$leadId" params={{ leadId }}>
            {leadName}
          </RouteLink>
        ) : (
          'Somebody who is gone'
        )}
      </Cell>
      <Cell label="Address" className={classes.wordy}>
        {address ?? '–'}
      </Cell>
      <Cell label="Status">
        {messageId ? <MessageStatus status={status} error={why || null} /> : statusWords(status)}
        {!messageId && reason && <div className={classes.note}>{reasonWords(reason)}</div>}
      </Cell>
      <Cell label="Opened">
        <Seen at={recipient.openedAt} machineAt={recipient.machineOpenedAt} />
      </Cell>
      <Cell label="Clicked">
        <Seen at={recipient.clickedAt} machineAt={recipient.machineClickedAt} />
      </Cell>
      <Cell label="Answer">
        {recipient.unsubscribedAt && (
          <div>
            Unsubscribed <Time at={recipient.unsubscribedAt} />
          </div>
        )}
        {recipient.repliedAt && (
          <div>
            Replied <Time at={recipient.repliedAt} />
          </div>
        )}
        {!recipient.unsubscribedAt && !recipient.repliedAt && '–'}
      </Cell>
    </Table.Tr>
  );
}

function Seen({ at, machineAt }: { at: string | null | undefined; machineAt: string | null | undefined }) {
  if (at) return <Time at={at} />;
  return machineAt ? <span className={classes.note}>by a machine only</span> : <>–</>;
}
