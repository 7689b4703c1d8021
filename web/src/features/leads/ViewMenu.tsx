import { Button, Group } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import type { SavedView } from '@/api/shapes';
import { later, OnDemand } from '@/ui/onDemand';
import type { TableSearch } from './filters';
import { viewsQuery } from './queries';
import { asksNothing, isChanged, searchOf } from './views';

const ViewList = later(() => import('./ViewList'));
const ChangedView = lazy(() => import('./ChangedView'));

const NO_VIEWS: SavedView[] = [];

export interface ViewMenuProps {
  layout: 'table' | 'board';
  search: TableSearch;
  columns: string[] | null;
  cardFields: string[] | null;
}

/** The saved views: opening one, and saving what is seen. */
export function ViewMenu(props: ViewMenuProps) {
  const { search } = props;
  const navigate = useNavigate();
  const views = useQuery(viewsQuery).data ?? NO_VIEWS;
  const view = views.find(({ id }) => id === search.view);

  const fallback = views.find(({ isDefault }) => isDefault);
  const opensByItself = fallback !== undefined && asksNothing(search);
  useEffect(() => {
    if (!fallback || !opensByItself) return;
    void navigate({
      to: fallback.layout === 'board' ? '/board' : '/leads',
      search: (old) => ({ ...searchOf(fallback), lead: 'lead' in old ? old.lead : undefined }),
      replace: true,
    });
  }, [fallback, opensByItself, navigate]);

  return (
    <Group gap={6} wrap="nowrap">
      <OnDemand menu={(control) => <ViewList {...props}>{control}</ViewList>}>
        <Button variant="default" size="xs" rightSection={<IconChevronDown size={13} />}>
          {view?.name ?? 'All leads'}
        </Button>
      </OnDemand>
      {view && isChanged(view, search) && (
        <Suspense fallback={null}>
          <ChangedView view={view} {...props} />
        </Suspense>
      )}
    </Group>
  );
}
