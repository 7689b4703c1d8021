import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { useTicks } from './ticks';

interface Row {
  id: string;
  marks: string[];
}

const queryKey = ['settings', 'test'];
const MARKS = ['see', 'write'];

afterEach(cleanup);

interface Server {
  kept: Row;
  write: (row: Row) => Promise<void>;
}

function List({ server }: { server: Server }) {
  const rows = useQuery({
    queryKey,
    queryFn: async () => [server.kept],
    initialData: [server.kept],
    staleTime: Infinity,
  });
  const tick = useTicks<Row>({ queryKey, idOf: ({ id }) => id, write: server.write, failure: 'Not saved' });
  return rows.data.flatMap((row) =>
    MARKS.map((mark) => (
      <input
        key={mark}
        type="checkbox"
        aria-label={mark}
        checked={row.marks.includes(mark)}
        onChange={() => tick({ ...row, marks: [...row.marks, mark] })}
      />
    )),
  );
}

/** One row with two ticks beside a server, which answers when it is told to. */
function ticks() {
  const waiting: (() => void)[] = [];
  const write = vi.fn(async (row: Row) => {
    await new Promise<void>((go) => waiting.push(go));
    server.kept = row;
  });
  const server: Server = { kept: { id: 'role', marks: [] }, write };
  const client = new QueryClient();
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <List server={server} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  const answer = async () => {
    await waitFor(() => expect(waiting).toHaveLength(1));
    waiting.pop()?.();
  };
  return { server, write, client, answer };
}

const box = (name: string) => screen.getByRole<HTMLInputElement>('checkbox', { name });

it('keeps both of two quick ticks', async () => {
  const { server, write, answer } = ticks();

  fireEvent.click(box('see'));
  await waitFor(() => expect(box('see').checked).toBe(true));
  fireEvent.click(box('write'));
  await waitFor(() => expect(box('write').checked).toBe(true));
  expect(write).toHaveBeenCalledTimes(1);
  await answer();
  await answer();

  await waitFor(() => expect(server.kept.marks).toEqual(['see', 'write']));
});

it('never jumps back while the answer and the list are on their way', async () => {
  const { client, answer } = ticks();
  fireEvent.click(box('see'));
  await waitFor(() => expect(box('see').checked).toBe(true));
  const seen = new Set<boolean>();
  const stop = client.getQueryCache().subscribe(() => seen.add(box('see').checked));

  await answer();

  await waitFor(() => expect(client.isMutating()).toBe(0));
  stop();
  expect([...seen, box('see').checked]).not.toContain(false);
});

it('falls back to what the server holds when a tick is refused', async () => {
  const { write } = ticks();
  write.mockRejectedValueOnce(new Error('refused'));

  fireEvent.click(box('see'));

  await waitFor(() => expect(write).toHaveBeenCalled());
  await waitFor(() => expect(box('see').checked).toBe(false));
});
