import { Button, Popover } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { cloneElement, type HTMLAttributes, type ReactElement } from 'react';
import { usePermits } from '@/api/session';
import type { Alert, PersonalAlert } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Dot, Failure, PermitButton, Time } from '@/ui/basics';
import { useOpensAtOnce } from '@/ui/onDemand';
import classes from './Alerts.module.css';
import { personalPlace, personalWords } from './personal';
import { alertsQuery, personalAlertsQuery, useAcknowledge, useSee } from './queries';
import { placeOf, wordsOf } from './words';

/** The alerts below their bell. */
export default function AlertsList({ children }: { children: ReactElement<HTMLAttributes<HTMLElement>> }) {
  const permits = usePermits();
  const seesSettings = permits.can('settings:view');
  const seesLeads = permits.can('leads:view');
  const { opened, onChange } = useOpensAtOnce();
  const close = () => onChange(false);
  const alerts = useQuery({ ...alertsQuery, enabled: seesSettings });
  const personal = useQuery({ ...personalAlertsQuery, enabled: seesLeads });
  const rows = (seesSettings && alerts.data?.data) || [];
  const own = (seesLeads && personal.data?.data) || [];
  const isAnswered = (alerts.data || !seesSettings) && (personal.data || !seesLeads);
  return (
    <Popover opened={opened} onDismiss={close} position="bottom-end" width={340} trapFocus>
      <Popover.Target>{cloneElement(children, { onClick: () => onChange(!opened) })}</Popover.Target>
      <Popover.Dropdown aria-label="Alerts">
        {alerts.isError && <Failure error={alerts.error} retry={() => void alerts.refetch()} />}
        {personal.isError && <Failure error={personal.error} retry={() => void personal.refetch()} />}
        {isAnswered && rows.length + own.length === 0 && <p className={classes.none}>Nothing needs a look.</p>}
        <div className={classes.lists}>
          {own.length > 0 && <OwnAlerts alerts={own} onLeave={close} />}
          {rows.length > 0 && (
            <ul className={classes.list} aria-label={plural(rows.length, 'open alert')}>
              {rows.map((alert) => (
                <Row key={alert.id} alert={alert} onLeave={close} />
              ))}
            </ul>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function OwnAlerts({ alerts, onLeave }: { alerts: PersonalAlert[]; onLeave: () => void }) {
  const navigate = useNavigate();
  const see = useSee();
  const look = (alert: PersonalAlert) => {
    onLeave();
    see.mutate(alert.id);
    void navigate({ to: personalPlace(alert) });
  };
  return (
    <section aria-label="For you">
      <div className={classes.head}>
        <span>For you</span>
        <Button variant="subtle" size="compact-xs" loading={see.isPending} onClick={() => see.mutate(null)}>
          Mark all as seen
        </Button>
      </div>
      <ul className={classes.list}>
        {alerts.map((alert) => (
          <li key={alert.id} className={classes.alert}>
            <button type="button" className={classes.own} onClick={() => look(alert)}>
              <Dot color={alert.kind.startsWith('response.') || alert.kind === 'task.overdue' ? 'red' : 'blue'} />
              <span>{personalWords(alert)}</span>
            </button>
            <div className={classes.foot}>
              <Time at={alert.createdAt} />
              <Button variant="subtle" size="compact-xs" onClick={() => see.mutate(alert.id)}>
                Mark as seen
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </section>
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
