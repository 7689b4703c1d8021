import { Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { defaultPipeline, projectsQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import type { Pipeline, Project } from '@/api/shapes';
import { Section } from '@/ui/basics';
import { toastError } from '@/ui/toast';
import classes from './Pipelines.module.css';

/** Which pipeline the new leads of each project come into. */
export function ProjectPipelines({ pipelines }: { pipelines: Pipeline[] }) {
  const client = useQueryClient();
  const why = usePermits().why('sources:manage');
  const projects = useQuery(projectsQuery).data ?? [];
  const save = useMutation({
    mutationFn: ({ id, pipelineId }: { id: string; pipelineId: string | null }) =>
      api.patch<Project>(`/v1/capture/projects/${id}`, { pipelineId }),
    onSuccess: () => client.invalidateQueries({ queryKey: projectsQuery.queryKey }),
    onError: (error) => toastError('The project was not changed', error),
  });
  return (
    <Section title="Where new leads come in">
      <div className={classes.projects}>
        {projects.map(({ id, name, pipelineId }) => (
          <Select
            key={id}
            label={name}
            size="xs"
            title={why}
            disabled={why !== undefined}
            placeholder={`Default (${defaultPipeline(pipelines)?.name ?? ''})`}
            clearable
            data={pipelines.map((pipeline) => ({ value: pipeline.id, label: pipeline.name }))}
            value={pipelineId ?? null}
            onChange={(value) => save.mutate({ id, pipelineId: value })}
          />
        ))}
      </div>
    </Section>
  );
}
