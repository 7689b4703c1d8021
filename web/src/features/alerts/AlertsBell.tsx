import { ActionIcon, Indicator } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { usePermits } from '@/api/session';
import { useSettled } from '@/lib/settled';
import { later, OnDemand } from '@/ui/onDemand';
import { alertsQuery, personalAlertsQuery } from './queries';

const AlertsList = later(() => import('./AlertsList'));

/** What somebody should look at: one's own, and the workspace's for those who see its settings. */
export function AlertsBell() {
  const permits = usePermits();
  const settled = useSettled();
  const seesSettings = permits.can('settings:view');
  const seesLeads = permits.can('leads:view');
  const alerts = useQuery({ ...alertsQuery, enabled: seesSettings && settled });
  const personal = useQuery({ ...personalAlertsQuery, enabled: seesLeads && settled });
  if (!seesSettings && !seesLeads) return null;
  const rows = (seesSettings && alerts.data?.data) || [];
  const unseen = rows.filter(({ acknowledgedAt }) => !acknowledgedAt).length + (personal.data?.total ?? 0);
  const label = unseen > 0 ? `Alerts: ${unseen} that nobody has seen` : 'Alerts';
  return (
    <Indicator label={unseen > 99 ? '99+' : unseen} size={16} color="red" disabled={unseen === 0} offset={6}>
      <OnDemand popup="dialog" menu={(control) => <AlertsList>{control}</AlertsList>}>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label}>
          <IconBell size={20} stroke={1.6} />
        </ActionIcon>
      </OnDemand>
    </Indicator>
  );
}
