import { SegmentedControl } from '@mantine/core';
import { getRouteApi, Navigate, useNavigate } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import { FindPerson } from './FindPerson';
import { PersonView } from './PersonView';
import classes from './Privacy.module.css';
import { Retention } from './Retention';
import { Suppressions } from './Suppressions';

const route = getRouteApi('/shell/settings/privacy');

/** The privacy desk: what is held of a person, erasing it, whom nobody may write to, and how long what is kept. */
export function PrivacyPage() {
  const { person, show, page } = route.useSearch();
  const navigate = useNavigate();
  const permits = usePermits();
  const mayErase = permits.can('settings:manage') && permits.can('pii:view');
  if (!permits.can('settings:view')) return <Navigate to="/settings/$tab" params={{ tab: 'tokens' }} replace />;
  const view = show ?? (mayErase ? 'persons' : 'suppressions');
  return (
    <>
      <SegmentedControl
        className={classes.views}
        size="xs"
        aria-label="What the privacy desk shows"
        value={view}
        data={[
          ...(mayErase ? [{ value: 'persons', label: 'Find a person' }] : []),
          { value: 'suppressions', label: 'Suppression list' },
          { value: 'retention', label: 'Retention' },
        ]}
        onChange={(next) =>
          void navigate({
            to: '/settings/privacy',
            search: next === 'suppressions' || next === 'retention' ? { show: next } : {},
          })
        }
      />
      {view === 'retention' ? (
        <Retention />
      ) : view === 'suppressions' ? (
        <Suppressions page={page ?? 1} />
      ) : person ? (
        <PersonView contactId={person} />
      ) : (
        <FindPerson />
      )}
    </>
  );
}
