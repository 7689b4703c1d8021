import { Alert, Text } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, rowsOf } from '@/api/client';
import type { Suppression } from '@/api/shapes';
import { kindWords, reasonWords } from '@/lib/suppression';
import { Time } from './basics';

type Of = 'leads' | 'contacts';

const suppressedQuery = (of: Of, id: string) =>
  queryOptions({
    queryKey: [of, 'suppressions', id],
    queryFn: async ({ signal }) =>
      rowsOf(await api.get<{ data: Suppression[] }>(`/v1/identity/${of}/${id}/suppressions`, {}, signal)),
  });

/** Why nobody writes to somebody, who said so, and what that stops. Nothing where they may be written to. */
export function Suppressed({ of, id }: { of: Of; id: string }) {
  const entries = useQuery(suppressedQuery(of, id)).data ?? [];
  if (entries.length === 0) return null;
  return (
    <Alert color="yellow" title="Must not be written to" mb="md">
      {entries.map((entry) => (
        <Text key={entry.id} size="sm">
          {kindWords(entry.kind)}: {entry.note ?? reasonWords(entry.reason)}, by {entry.addedBy}{' '}
          <Time at={entry.addedAt} />
        </Text>
      ))}
      <Text size="xs" mt={4}>
        No message goes out to them, by any channel: not by hand, not from the inbox, not by an automation or a
        campaign. What they send is taken in as before.
      </Text>
    </Alert>
  );
}
