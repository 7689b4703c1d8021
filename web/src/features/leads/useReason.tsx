import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, Suspense, useState } from 'react';
import { pipelinesQuery } from '@/api/lookups';
import type { Pipeline } from '@/api/shapes';
import { later } from '@/ui/onDemand';
import { closingOf } from './closing';
import type { Asked } from './ReasonDialog';

const ReasonDialog = later(() => import('./ReasonDialog'));

/** Asks why a lead is won or lost, where its pipeline wants to know, before it is moved. */
export function useReason(): { ask: (from: string[], to: string, go: Asked['go']) => void; dialog: ReactNode } {
  const client = useQueryClient();
  const pipelines = useQuery(pipelinesQuery).data;
  const [asked, setAsked] = useState<Asked | null>(null);
  const ask = (from: string[], to: string, go: Asked['go']) => {
    if (from.includes(to)) return go(null);
    const askOf = (all: Pipeline[]) => {
      const pipeline = all.find(({ stages }) => stages.some(({ id }) => id === to));
      const stage = pipeline?.stages.find(({ id }) => id === to);
      if (!pipeline || !stage || closingOf(pipeline, stage.kind).reasons.length === 0) return go(null);
      setAsked({ pipeline, stage, go });
    };
    if (pipelines) return askOf(pipelines);
    // Where nobody can tell, the server says what it wants.
    void client.fetchQuery(pipelinesQuery).then(askOf, () => go(null));
  };
  const dialog = asked && (
    <Suspense fallback={null}>
      <ReasonDialog {...asked} onClose={() => setAsked(null)} />
    </Suspense>
  );
  return { ask, dialog };
}
