import { Button, Select, Skeleton, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { api } from '@/api/client';
import { channelsQuery, kindWord } from '@/api/messaging';
import { usePermits } from '@/api/session';
import type { SandboxArrival, SandboxDevice } from '@/api/shapes';
import { Empty, Failure, PermitButton, Tag, Time } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import { toast, toastError } from '@/ui/toast';
import classes from './Messaging.module.css';
import { arrivalsQuery, devicesQuery, useMessagingWrite } from './queries';
import { LetterFrame } from './TemplateDialog';

/** The built-in phones and mailboxes: what arrived, and answering as whoever got it. */
export function SandboxPage() {
  const channels = useQuery(channelsQuery);
  const sandboxes = channels.data?.filter(({ kind }) => kind === 'sandbox') ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const channelId = chosen ?? sandboxes[0]?.id;
  if (channels.isPending) return <Skeleton h={240} />;
  if (channels.isError) return <Failure error={channels.error} retry={() => void channels.refetch()} />;
  if (!channelId) {
    return (
      <Empty
        title="There is no sandbox yet"
        action={<RouteLink to="/messaging/channels">Add one under Channels</RouteLink>}
      >
        A sandbox is a channel whose messages arrive here, at a phone and a mailbox inside Leadline, instead of at real
        people.
      </Empty>
    );
  }
  return (
    <>
      {sandboxes.length > 1 && (
        <Select
          mb="sm"
          maw={280}
          aria-label="Which sandbox"
          value={channelId}
          onChange={setChosen}
          allowDeselect={false}
          data={sandboxes.map(({ id, name }) => ({ value: id, label: name }))}
        />
      )}
      <Devices key={channelId} channelId={channelId} />
    </>
  );
}

function Devices({ channelId }: { channelId: string }) {
  const devices = useQuery(devicesQuery(channelId));
  const [address, setAddress] = useState<string | null>(null);
  if (devices.isPending) return <Skeleton h={240} />;
  if (devices.isError) return <Failure error={devices.error} retry={() => void devices.refetch()} />;
  if (devices.data.length === 0) {
    return (
      <Empty title="Nothing has arrived yet">
        Open a lead, choose Quick send, and what you send will be here. Numbers that end in 990001 to 990005 play what
        can go wrong.
      </Empty>
    );
  }
  const open = address ?? devices.data[0]?.address;
  const kinds = [...new Set(devices.data.filter((device) => device.address === open).map(({ kind }) => kind))];
  return (
    <div className={classes.inbox} data-open={address ? true : undefined}>
      <section className={classes.list} aria-label="Phones and mailboxes">
        <ul className={classes.entries}>
          {devices.data.map((device) => (
            <li key={device.kind + device.address}>
              <DeviceButton device={device} isOpen={device.address === open} open={() => setAddress(device.address)} />
            </li>
          ))}
        </ul>
      </section>
      {open && (
        <Device
          key={open}
          channelId={channelId}
          address={open}
          kinds={kinds}
          back={
            <Button className={classes.back} variant="subtle" size="compact-sm" onClick={() => setAddress(null)}>
              All phones and mailboxes
            </Button>
          }
        />
      )}
    </div>
  );
}

function DeviceButton({ device, isOpen, open }: { device: SandboxDevice; isOpen: boolean; open: () => void }) {
  return (
    <button type="button" className={classes.entry} data-chosen={isOpen || undefined} onClick={open}>
      <span className={classes.entryHead}>
        <strong>{device.address}</strong>
        <Time at={device.lastAt} />
      </span>
      <span className={classes.entryFoot}>
        <Tag>{kindWord(device.kind)}</Tag>
        {device.count}
      </span>
    </button>
  );
}

interface DeviceProps {
  channelId: string;
  address: string;
  kinds: string[];
  back: ReactNode;
}

function Device({ channelId, address, kinds, back }: DeviceProps) {
  const arrivals = useQuery(arrivalsQuery(channelId, address));
  const why = usePermits().why('messaging:send');
  const [text, setText] = useState('');
  const [chosen, setKind] = useState<string | null>(null);
  const kind = chosen ?? kinds[0] ?? 'sms';
  const path = `/v1/messaging/channels/${channelId}/sandbox`;
  const read = useMessagingWrite(() => api.post(`${path}/open`, { address }));
  const answer = useMessagingWrite((words: string) =>
    api.post(`${path}/answers`, { channel: kind, address, text: words }),
  );
  const isUnread = arrivals.data?.some(({ openedAt }) => !openedAt) && why === undefined;
  const { mutate } = read;
  useEffect(() => {
    if (isUnread) mutate();
  }, [isUnread, mutate]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    answer.mutate(text, {
      onSuccess: () => {
        setText('');
        toast('The answer is in the inbox');
      },
      onError: (error) => toastError('The answer was not taken', error),
    });
  };
  return (
    <section className={classes.pane} aria-label={`Phone or mailbox of ${address}`}>
      <header className={classes.paneHead}>
        {back}
        <strong>{address}</strong>
      </header>
      {arrivals.isPending && <Skeleton h={120} />}
      {arrivals.isError && <Failure error={arrivals.error} retry={() => void arrivals.refetch()} />}
      <ol className={classes.thread}>
        {[...(arrivals.data ?? [])].reverse().map((arrival) => (
          <Arrived key={arrival.messageId} arrival={arrival} />
        ))}
      </ol>
      <form className={classes.composer} onSubmit={submit}>
        {kinds.length > 1 && (
          <Select
            size="xs"
            maw={160}
            aria-label="Answer by"
            value={kind}
            onChange={setKind}
            allowDeselect={false}
            data={kinds.map((value) => ({ value, label: kindWord(value) }))}
          />
        )}
        <Textarea
          aria-label="Answer as this person"
          placeholder="Answer as this person"
          autosize
          minRows={2}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <PermitButton type="submit" why={why} loading={answer.isPending} disabled={text.trim() === ''}>
          Answer
        </PermitButton>
      </form>
    </section>
  );
}

const PLAYED: Record<string, string> = {
  bounce: 'Plays: fails later',
  never: 'Plays: never delivered',
  late: 'Plays: an hour late',
  break: 'Plays: a broken connection',
};

function Arrived({ arrival }: { arrival: SandboxArrival }) {
  const { subject, body, html, kind, arrivedAt, plays, times } = arrival;
  return (
    <li className={classes.message} data-direction="inbound">
      {subject && <strong>{subject}</strong>}
      {html ? <LetterFrame html={html} /> : <p>{body}</p>}
      <span className={classes.messageFoot}>
        {kindWord(kind)} <Time at={arrivedAt} /> {PLAYED[plays]}
        {times > 1 && ` · handed over ${times} times`}
      </span>
    </li>
  );
}
