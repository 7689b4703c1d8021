import { Alert, Button, Checkbox, Group, Menu, Modal, Stack, TextInput } from '@mantine/core';
import { IconChevronDown, IconLock, IconStar, IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { segmentsQuery } from '@/api/lookups';
import { messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { SavedView } from '@/api/shapes';
import { Confirm } from '@/ui/Confirm';
import { toast, toastError } from '@/ui/toast';
import type { TableSearch } from './filters';
import { viewsApi, viewsQuery } from './queries';
import { ALL_LEADS, asksNothing, isChanged, searchOf, seenAs } from './views';

const NO_VIEWS: SavedView[] = [];

interface ViewMenuProps {
  layout: 'table' | 'board';
  search: TableSearch;
  columns: string[] | null;
  cardFields: string[] | null;
}

/** The saved views: opening one, and saving what is seen. */
export function ViewMenu({ layout, search, columns, cardFields }: ViewMenuProps) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const views = useQuery(viewsQuery).data ?? NO_VIEWS;
  const [naming, setNaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  const view = views.find(({ id }) => id === search.view);
  const changed = view !== undefined && isChanged(view, search);
  const segment = useQuery(segmentsQuery).data?.find(({ id }) => id === search.segmentId);
  const seen = seenAs(search, columns, cardFields, segment?.filter);
  const again = () => client.invalidateQueries({ queryKey: viewsQuery.queryKey });
  const open = (next: SavedView) =>
    void navigate({ to: next.layout === 'board' ? '/board' : '/leads', search: searchOf(next) });
  const openAll = () => void navigate({ to: layout === 'board' ? '/board' : '/leads', search: { view: ALL_LEADS } });
  const change = useMutation({
    mutationFn: viewsApi.change,
    onSuccess: again,
    onError: (error) => toastError('The view was not changed', error),
  });
  const save = (saved: SavedView) =>
    change.mutate(
      { id: saved.id, layout, ...seen },
      {
        onSuccess: (next) => {
          toast(`Saved ${next.name}`);
          open(next);
        },
      },
    );

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
    <Group gap={6} wrap="nowrap">
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" size="xs" rightSection={<IconChevronDown size={13} />}>
            {view?.name ?? 'All leads'}
          </Button>
        </Menu.Target>
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
            <Menu.Item onClick={() => change.mutate({ id: view.id, isDefault: !view.isDefault })}>
              {view.isDefault ? 'No longer begin with this view' : 'Begin with this view'}
            </Menu.Item>
          )}
          {view?.mayChange && <Menu.Item onClick={() => setRemoving(true)}>Delete the view…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {view && changed && view.mayChange && (
        <Button variant="subtle" size="xs" loading={change.isPending} onClick={() => save(view)}>
          Save changes
        </Button>
      )}
      {view && changed && !view.mayChange && (
        <Button variant="subtle" size="xs" onClick={() => setNaming(true)}>
          Changed
        </Button>
      )}
      <Modal opened={naming} onClose={() => setNaming(false)} title="New view" size="sm">
        <SaveForm
          onClose={() => setNaming(false)}
          save={(named) => viewsApi.save({ ...seen, ...named, layout })}
          onSaved={(saved) => {
            setNaming(false);
            void again().then(() => open(saved));
            toast(`Saved ${saved.name}`);
          }}
        />
      </Modal>
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
    </Group>
  );
}

interface SaveFormProps {
  save: (named: { name: string; isShared: boolean }) => Promise<SavedView>;
  onSaved: (view: SavedView) => void;
  onClose: () => void;
}

function SaveForm({ save, onSaved, onClose }: SaveFormProps) {
  const permits = usePermits();
  const [name, setName] = useState('');
  const [isShared, setShared] = useState(false);
  const saving = useMutation({ mutationFn: save, onSuccess: onSaved });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) saving.mutate({ name, isShared });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {saving.isError && <Alert color="red">{messageOf(saving.error)}</Alert>}
        <TextInput
          label="Name"
          data-autofocus
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox
          label="Share with everybody in the workspace"
          disabled={!permits.can('leads:manage')}
          checked={isShared}
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!name.trim()} loading={saving.isPending}>
            Save the view
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
