import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { toastError } from '@/ui/toast';

interface Ticks<Row> {
  /** Of the list whose rows are ticked. */
  queryKey: QueryKey;
  idOf: (row: Row) => string;
  /** Saves a row as it is now. */
  write: (row: Row) => Promise<unknown>;
  /** What is told when it was not saved. */
  failure: string;
}

/**
 * Ticks in a list whose rows are saved whole. Each shows at once, and is sent after those before it together with what
 * they said, so that quick ones neither jump back nor undo each other. When all are through, the list is read again.
 */
export function useTicks<Row>({ queryKey, idOf, write, failure }: Ticks<Row>) {
  const client = useQueryClient();
  const mutationKey = ['ticks', ...queryKey];
  const { mutate } = useMutation({
    mutationKey,
    scope: { id: mutationKey.join(' ') },
    mutationFn: write,
    onError: (error) => toastError(failure, error),
    onSettled: () => (client.isMutating({ mutationKey }) === 1 ? client.invalidateQueries({ queryKey }) : undefined),
  });
  return (row: Row) => {
    // An answer that is on its way does not know of this yet.
    void client.cancelQueries({ queryKey });
    client.setQueryData<Row[]>(queryKey, (rows) => rows?.map((each) => (idOf(each) === idOf(row) ? row : each)));
    mutate(row);
  };
}
