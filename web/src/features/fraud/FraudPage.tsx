import { SegmentedControl } from '@mantine/core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import { BlockIpButton } from '@/ui/BlockIp';
import { PageBody, PageHead } from '@/ui/basics';
import { Attempts } from './Attempts';
import { BlockedIps } from './BlockedIps';
import classes from './Fraud.module.css';
import { Quarantine } from './Quarantine';
import type { FraudTab } from './search';

const route = getRouteApi('/shell/fraud');

const TABS: { value: FraudTab; label: string }[] = [
  { value: 'quarantine', label: 'Quarantine' },
  { value: 'blocked', label: 'Blocked IPs' },
  { value: 'attempts', label: 'Blocked attempts' },
];

/** What was held back or turned away, and who is. */
export function FraudPage() {
  const { tab = 'quarantine', all, page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/fraud' });
  const why = usePermits().why('leads:manage');
  const toPage = (to: number) => void navigate({ search: (old) => ({ ...old, page: to }) });
  return (
    <PageBody>
      <PageHead title="Fraud desk">
        <BlockIpButton why={why}>Block an IP</BlockIpButton>
      </PageHead>
      <div className={classes.tools}>
        <SegmentedControl
          size="xs"
          aria-label="Show on the fraud desk"
          data={TABS}
          value={tab}
          onChange={(value) => void navigate({ search: value === 'quarantine' ? {} : { tab: value as FraudTab } })}
        />
      </div>
      {tab === 'quarantine' && (
        <Quarantine
          all={all === 'yes'}
          page={page}
          onAll={(next) => void navigate({ search: next ? { all: 'yes' } : {} })}
          onPage={toPage}
        />
      )}
      {tab === 'blocked' && <BlockedIps page={page} onPage={toPage} />}
      {tab === 'attempts' && <Attempts page={page} onPage={toPage} />}
    </PageBody>
  );
}
