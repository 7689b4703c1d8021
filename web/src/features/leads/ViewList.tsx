import { Menu } from '@mantine/core';
import { IconLock, IconStar, IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactElement, useState } from 'react';
import type { SavedView } from '@/api/shapes';
import { Confirm } from '@/ui/Confirm';
import { useOpensAtOnce } from '@/ui/onDemand';
import { viewsApi, viewsQuery } from './queries';
import { SaveViewDialog } from './SaveViewDialog';
import { useViewChanges } from './useViewChanges';
import type { ViewMenuProps } from './ViewMenu';
import { ALL_LEADS, isChanged } from './views';

const NO_VIEWS: SavedView[] = [];

/** The saved views below their button. */
export default function ViewList({ children, ...props }: ViewMenuProps & { children: ReactElement }) {
  const { layout, search } = props;
  const navigate = useNavigate();
  const views = useQuery(viewsQuery).data ?? NO_VIEWS;
  const { again, open, save, beginWith, saveAs, onSaved } = useViewChanges(props);
  const [naming, setNaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  const view = views.find(({ id }) => id === search.view);
  const changed = view !== undefined && isChanged(view, search);
  const openAll = () => void navigate({ to: layout === 'board' ? '/board' : '/leads', search: { view: ALL_LEADS } });

  const item = (each: SavedView) => (
    <Menu.Item
      key={each.id}
      fw={each.id === search.view ? 600 : undefined}
      leftSection={each.isShared ? <IconUsers size={14} /> : <IconLock size={14} />}
      rightSection={each.isDefault ? <IconStar size={13} aria-label="Your default" /> : undefined}
      onClick={() => open(each)}
    >
      {each.name}
    </Menu.Item>
  );
  return (
    <>
      <Menu position="bottom-start" {...useOpensAtOnce()}>
        <Menu.Target>{children}</Menu.Target>
        <Menu.Dropdown miw={200}>
          <Menu.Item fw={view ? undefined : 600} onClick={openAll}>
            All leads
          </Menu.Item>
          {views.map(item)}
          <Menu.Divider />
          <Menu.Item onClick={() => setNaming(true)}>Save as a new view…</Menu.Item>
          {view && changed && view.mayChange && <Menu.Item onClick={() => save(view)}>Save changes</Menu.Item>}
          {view && changed && <Menu.Item onClick={() => open(view)}>Undo changes</Menu.Item>}
          {view && (
            <Menu.Item onClick={() => beginWith(view, !view.isDefault)}>
              {view.isDefault ? 'No longer begin with this view' : 'Begin with this view'}
            </Menu.Item>
          )}
          {view?.mayChange && <Menu.Item onClick={() => setRemoving(true)}>Delete the view…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      <SaveViewDialog opened={naming} onClose={() => setNaming(false)} save={saveAs} onSaved={onSaved} />
      <Confirm
        opened={removing}
        title={`Delete ${view?.name ?? 'the view'}`}
        verb="Delete"
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          if (!view) return;
          await viewsApi.remove(view.id);
          await again();
          openAll();
        }}
      >
        {`${view?.isShared ? 'Everybody in the workspace loses it.' : 'Only you see this view.'} No lead is touched.`}
      </Confirm>
    </>
  );
}
