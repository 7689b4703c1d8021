import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { pipelinesQuery } from '@/api/lookups';
import type { PipelineSwitchProps } from './PipelineSelect';

const PipelineSelect = lazy(() => import('./PipelineSelect'));

/** Which pipeline is shown; nothing where there is only one. */
export function PipelineSwitch(props: PipelineSwitchProps) {
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  if (pipelines.length < 2) return null;
  return (
    <Suspense fallback={<Skeleton w={160} h={30} />}>
      <PipelineSelect {...props} />
    </Suspense>
  );
}
