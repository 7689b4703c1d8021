import { Button, Menu, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import { channelsQuery, kindWord } from '@/api/messaging';
import { usePermits } from '@/api/session';
import type { ChannelTest, MessagingChannel } from '@/api/shapes';
import { Empty, Failure, PermitButton, State, Time } from '@/ui/basics';
import { CopyButton } from '@/ui/Copy';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast, toastError } from '@/ui/toast';
import { ChannelDialog } from './ChannelDialog';
import classes from './Messaging.module.css';
import { useMessagingWrite } from './queries';
import { PROVIDERS, type Provider, providerWord } from './words';

/** The accounts by which messages go out and come in. */
export function ChannelsPage() {
  const channels = useQuery(channelsQuery);
  const why = usePermits().why('settings:manage');
  const [edited, setEdited] = useState<{ kind: Provider; channel: MessagingChannel | null } | null>(null);
  const make = (
    <Menu>
      <Menu.Target>
        <Button disabled={why !== undefined} title={why}>
          Add a channel
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {PROVIDERS.map(({ kind, label, note }) => (
          <Menu.Item key={kind} onClick={() => setEdited({ kind, channel: null })}>
            {label}
            <div className={classes.dim}>{note}</div>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
  return (
    <>
      {channels.isPending && <Skeleton h={240} />}
      {channels.isError && <Failure error={channels.error} retry={() => void channels.refetch()} />}
      {channels.data?.length === 0 && (
        <Empty title="No channels yet" action={make}>
          A channel is your own account for WhatsApp, text messages or e-mail. The sandbox needs none: what you send
          arrives at a phone and a mailbox inside Leadline.
        </Empty>
      )}
      {channels.data && channels.data.length > 0 && (
        <>
          <div className={classes.actions}>{make}</div>
          <ScrollTable label="Channels">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Carries</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Last sent</Table.Th>
                <Table.Th>
                  <span className={classes.hidden}>Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {channels.data.map((channel) => (
                <Row
                  key={channel.id}
                  channel={channel}
                  why={why}
                  edit={() => setEdited({ kind: channel.kind as Provider, channel })}
                />
              ))}
            </Table.Tbody>
          </ScrollTable>
        </>
      )}
      {edited && <ChannelDialog {...edited} onClose={() => setEdited(null)} />}
    </>
  );
}

function Row({ channel, why, edit }: { channel: MessagingChannel; why: string | undefined; edit: () => void }) {
  const { id, name, kind, carries, isActive, lastSentAt, lastError, callbackUrl, inboundUrl } = channel;
  const test = useMessagingWrite(() => api.post<ChannelTest>(`/v1/messaging/channels/${id}/test`));
  const change = useMessagingWrite((active: boolean) =>
    api.patch<MessagingChannel>(`/v1/messaging/channels/${id}`, { isActive: active }),
  );
  const remove = useMessagingWrite(() => api.delete(`/v1/messaging/channels/${id}`));
  const failed = (what: string) => ({ onError: (error: unknown) => toastError(what, error) });
  const tell = ({ isGood, detail }: ChannelTest) =>
    isGood ? toast(detail) : toastError('The channel cannot be used', new Error(detail));
  return (
    <Table.Tr>
      <Cell>
        <strong>{name}</strong>
        <div className={classes.dim}>{providerWord(kind)}</div>
        {callbackUrl && (
          <div className={classes.dim}>
            Callback address <CopyButton value={callbackUrl} label="Copy the callback address" />
          </div>
        )}
        {inboundUrl && (
          <div className={classes.dim}>
            Address for mails <CopyButton value={inboundUrl} label="Copy the address for mails" />
          </div>
        )}
      </Cell>
      <Cell label="Carries">{carries.map(kindWord).join(', ')}</Cell>
      <Cell label="State">
        <State color={!isActive ? 'gray' : lastError ? 'red' : 'green'}>
          {!isActive ? 'Switched off' : lastError ? 'Failing' : 'Ready'}
        </State>
        {isActive && lastError && <div className={classes.dim}>{lastError}</div>}
      </Cell>
      <Cell label="Last sent">{lastSentAt ? <Time at={lastSentAt} /> : 'Never'}</Cell>
      <Cell>
        <div className={classes.rowActions}>
          <PermitButton
            size="compact-sm"
            variant="default"
            why={why}
            loading={test.isPending}
            onClick={() => test.mutate(undefined, { onSuccess: tell, ...failed('The channel was not tested') })}
          >
            Test
          </PermitButton>
          <PermitButton size="compact-sm" variant="default" why={why} onClick={edit}>
            Edit
          </PermitButton>
          <PermitButton
            size="compact-sm"
            variant="default"
            why={why}
            onClick={() => change.mutate(!isActive, failed('The channel was not changed'))}
          >
            {isActive ? 'Switch off' : 'Switch on'}
          </PermitButton>
          <PermitButton
            size="compact-sm"
            variant="default"
            why={why}
            onClick={() => remove.mutate(undefined, failed('The channel was not deleted'))}
          >
            Delete
          </PermitButton>
        </div>
      </Cell>
    </Table.Tr>
  );
}
