import { ActionIcon, Button, Indicator, Popover } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import type { Alert } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Dot, Failure, PermitButton, Time } from '@/ui/basics';
import classes from './Alerts.module.css';
import { alertsQuery, useAcknowledge } from './queries';
import { placeOf, wordsOf } from './words';

/** What somebody should look at; the number is of what nobody has seen yet. */
export function AlertsBell() {
  const permits = usePermits();
  return permits.can('settings:view') ? <Bell /> : null;
}

function Bell() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const alerts = useQuery(alertsQuery);
  const rows = alerts.data?.data ?? [];
  const unseen = rows.filter(({ acknowledgedAt }) => !acknowledgedAt).length;
  const label = unseen > 0 ? `Alerts: ${unseen} that nobody has seen` : 'Alerts';
  return (
    <Popover opened={opened} onDismiss={close} position="bottom-end" width={340} trapFocus>
      <Indicator label={unseen} size={16} color="red" disabled={unseen === 0} offset={6}>
        <Popover.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={toggle}>
            <IconBell size={20} stroke={1.6} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown aria-label="Alerts">
        {alerts.isError && <Failure error={alerts.error} retry={() => void alerts.refetch()} />}
        {alerts.data && rows.length === 0 && <p className={classes.none}>Nothing needs a look.</p>}
        <ul className={classes.list} aria-label={plural(rows.length, 'open alert')}>
          {rows.map((alert) => (
            <Row key={alert.id} alert={alert} onLeave={close} />
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}

function Row({ alert, onLeave }: { alert: Alert; onLeave: () => void }) {
  const navigate = useNavigate();
  const why = usePermits().why('sources:manage');
  const acknowledge = useAcknowledge();
  const { title, text } = wordsOf(alert);
  const place = placeOf(alert);
  const look = () => {
    onLeave();
    void navigate({ to: place ?? '/' });
  };
  return (
    <li className={classes.alert}>
      <div className={classes.title}>
        <Dot color={alert.acknowledgedAt ? 'gray' : 'red'} />
        {title}
      </div>
      <p className={classes.text}>{text}</p>
      <div className={classes.foot}>
        <Time at={alert.openedAt} />
        {alert.acknowledgedAt ? (
          <span>Seen by {alert.acknowledgedBy}</span>
        ) : (
          <PermitButton
            why={why}
            variant="default"
            size="compact-xs"
            loading={acknowledge.isPending}
            onClick={() => acknowledge.mutate(alert.id)}
          >
            Mark as seen
          </PermitButton>
        )}
        {place && (
          <Button variant="subtle" size="compact-xs" onClick={look}>
            Look into it
          </Button>
        )}
      </div>
    </li>
  );
}
