import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { membersQuery, pipelinesQuery, projectsQuery, segmentsQuery } from '@/api/lookups';
import type { FilterField } from '@/api/shapes';
import { sourceLabel } from '@/lib/sources';

export interface Option {
  value: string;
  label: string;
}

/** What the values of a field are chosen from; nothing where any text will do. */
export function useFieldOptions(): (field: Pick<FilterField, 'name' | 'options'>) => Option[] {
  const members = useQuery(membersQuery).data;
  const projects = useQuery(projectsQuery).data;
  const pipelines = useQuery(pipelinesQuery).data;
  const segments = useQuery(segmentsQuery).data;
  return useCallback(
    ({ name, options }) => {
      const named = (list: { id: string; name: string }[] | undefined) =>
        (list ?? []).map((each) => ({ value: each.id, label: each.name }));
      switch (name) {
        case 'assignedTo':
          return [{ value: 'me', label: 'Me' }, ...named(members)];
        case 'projectId':
          return named(projects);
        case 'pipelineId':
          return named(pipelines);
        case 'stageId': {
          const several = (pipelines?.length ?? 0) > 1;
          return (pipelines ?? []).flatMap((pipeline) =>
            pipeline.stages.map((stage) => ({
              value: stage.id,
              label: several ? `${stage.name} (${pipeline.name})` : stage.name,
            })),
          );
        }
        case 'segment':
          return named(segments);
        case 'source':
          return options.map((value) => ({ value, label: sourceLabel(value) }));
        default:
          return options.map((value) => ({ value, label: name.startsWith('custom.') ? value : plain(value) }));
      }
    },
    [members, projects, pipelines, segments],
  );
}

const plain = (value: string) => {
  const words = value.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
