import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { defaultPipeline, pipelinesQuery } from '@/api/lookups';

const ALL = 'all';

export interface PipelineSwitchProps {
  /** The board shows one pipeline, the table may show all. */
  view: 'Board' | 'Leads';
  chosen: string | undefined;
  onChoose: (pipelineId: string | undefined) => void;
}

/** Which pipeline is shown. */
export default function PipelineSelect({ view, chosen, onChoose }: PipelineSwitchProps) {
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const options = pipelines.map(({ id, name }) => ({ value: id, label: name }));
  const first = view === 'Board' ? defaultPipeline(pipelines)?.id : ALL;
  return (
    <Select
      size="xs"
      w={160}
      aria-label="Pipeline"
      allowDeselect={false}
      data={view === 'Board' ? options : [{ value: ALL, label: 'All pipelines' }, ...options]}
      value={chosen ?? first ?? null}
      onChange={(value) => onChoose(value === null || value === first ? undefined : value)}
    />
  );
}
