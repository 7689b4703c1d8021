import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { segmentsQuery } from '@/api/lookups';
import type { SavedView } from '@/api/shapes';
import { toast, toastError } from '@/ui/toast';
import { viewsApi, viewsQuery } from './queries';
import type { ViewMenuProps } from './ViewMenu';
import { searchOf, seenAs } from './views';

/** What can be done with saved views and with what is seen now. */
export function useViewChanges({ layout, search, columns, cardFields }: ViewMenuProps) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const segment = useQuery(segmentsQuery).data?.find(({ id }) => id === search.segmentId);
  const seen = seenAs(search, columns, cardFields, segment?.filter);
  const again = () => client.invalidateQueries({ queryKey: viewsQuery.queryKey });
  const open = (next: SavedView) =>
    void navigate({ to: next.layout === 'board' ? '/board' : '/leads', search: searchOf(next) });
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
  const beginWith = (view: SavedView, isDefault: boolean) =>
    change.mutate(
      { id: view.id, isDefault },
      { onSuccess: () => toast(isDefault ? `Leads begin with ${view.name}` : 'Leads begin with all of them') },
    );
  const saveAs = (named: { name: string; isShared: boolean }) => viewsApi.save({ ...seen, ...named, layout });
  const onSaved = (saved: SavedView) => {
    void again().then(() => open(saved));
    toast(`Saved ${saved.name}`);
  };
  return { again, open, change, save, beginWith, saveAs, onSaved };
}
