import { NativeSelect, Switch, TagsInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { pipelinesQuery, projectsQuery } from '@/api/lookups';
import classes from './Imports.module.css';
import type { Choice } from './queries';

const ON_MATCH = [
  { value: 'update', label: 'Write what the file says' },
  { value: 'fill', label: 'Fill only what is empty' },
  { value: 'skip', label: 'Leave the lead alone' },
];

interface OptionsProps {
  choice: Choice['options'];
  onChange: (choice: Choice['options']) => void;
}

/** Where the leads go, and who hears of them. */
export function Options({ choice, onChange }: OptionsProps) {
  const projects = useQuery(projectsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const stages = pipelines.map(({ name, stages: of }) => ({
    group: name,
    items: of.map((stage) => ({ value: stage.id, label: stage.name })),
  }));
  const first = projects[0]?.name;
  return (
    <div className={classes.options}>
      <NativeSelect
        label="Project"
        description="The same person in another project is another lead."
        data={[
          { value: '', label: first ? `${first} (the first)` : 'The first' },
          ...projects.map(({ id, name }) => ({ value: id, label: name })),
        ]}
        value={choice.projectId ?? ''}
        onChange={({ currentTarget: { value } }) => onChange({ ...choice, projectId: value || null })}
      />
      <NativeSelect
        label="Stage of new leads"
        description="Leads that are here stay where they are."
        data={[{ value: '', label: 'The first of the pipeline' }, ...stages]}
        value={choice.stageId ?? ''}
        onChange={({ currentTarget: { value } }) => onChange({ ...choice, stageId: value || null })}
      />
      <TagsInput
        label="Tags of new leads"
        description="Beside those of the file."
        maxTags={20}
        value={choice.tags}
        onChange={(tags) => onChange({ ...choice, tags })}
      />
      <NativeSelect
        label="Where a lead is here already"
        description="Known by its e-mail address or phone number, which are never exchanged."
        data={ON_MATCH}
        value={choice.onMatch}
        onChange={({ currentTarget: { value } }) => onChange({ ...choice, onMatch: value })}
      />
      <Switch
        className={classes.wide}
        label="Send these leads to destinations"
        description="As if each had just come in. Without it nobody outside hears of them."
        checked={choice.tellsDestinations}
        onChange={({ currentTarget: { checked } }) => onChange({ ...choice, tellsDestinations: checked })}
      />
    </div>
  );
}
