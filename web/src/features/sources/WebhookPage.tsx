import { Skeleton, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { InboundWebhook } from '@/api/shapes';
import { Empty, Failure, PageBody, PageHead, PermitButton } from '@/ui/basics';
import { CopyButton } from '@/ui/Copy';
import { RouteLink } from '@/ui/RouteLink';
import { FacebookTab } from './FacebookTab';
import { webhooksQuery } from './queries';
import { RequestsTab } from './RequestsTab';
import classes from './Sources.module.css';
import { WebhookDialog } from './WebhookDialog';

const route = getRouteApi('/shell/sources/webhooks/$webhookId');

/** One inbound webhook: what came in lately, and what is made of it. */
export function WebhookPage() {
  const { webhookId } = route.useParams();
  const webhooks = useQuery(webhooksQuery);
  const webhook = webhooks.data?.find(({ id }) => id === webhookId);
  return (
    <PageBody>
      {webhooks.isPending && <Skeleton h={240} />}
      {webhooks.isError && !webhooks.data && <Failure error={webhooks.error} retry={() => void webhooks.refetch()} />}
      {webhooks.data && !webhook && (
        <Empty title="There is no such webhook" action={<RouteLink to="/sources">All sources</RouteLink>}>
          It may have been deleted.
        </Empty>
      )}
      {webhook && <Loaded key={webhook.id} webhook={webhook} />}
    </PageBody>
  );
}

function Loaded({ webhook }: { webhook: InboundWebhook }) {
  const { tab, request } = route.useSearch();
  const navigate = useNavigate({ from: '/sources/webhooks/$webhookId' });
  const why = usePermits().why('sources:manage');
  const [editing, setEditing] = useState(false);
  return (
    <>
      <PageHead title={webhook.name}>
        <RouteLink to="/sources">All sources</RouteLink>
        <PermitButton why={why} onClick={() => setEditing(true)}>
          Edit
        </PermitButton>
      </PageHead>
      <div className={classes.url}>
        <span title={webhook.url}>{webhook.url}</span>
        <CopyButton value={webhook.url} label="Copy the address" />
      </div>
      <Tabs
        className={classes.tabs}
        value={tab ?? 'requests'}
        onChange={(value) => void navigate({ search: value === 'facebook' ? { tab: value } : {} })}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="requests">Requests</Tabs.Tab>
          <Tabs.Tab value="facebook">Fetched from Facebook</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="requests">
          <RequestsTab
            webhook={webhook}
            chosen={request}
            onChoose={(id) => void navigate({ search: { request: id }, replace: true })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="facebook">
          <FacebookTab webhook={webhook} />
        </Tabs.Panel>
      </Tabs>
      <WebhookDialog opened={editing} source={webhook} onClose={() => setEditing(false)} />
    </>
  );
}
