import { ActionIcon, Button, Group, Modal, Skeleton, Stack, Text, TextInput, Title, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { pipelinesQuery } from '@/api/lookups';
import { Problem } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { LeadDetail } from '@/api/shapes';
import { Empty, Failure, PermitButton, Tag, Time } from '@/ui/basics';
import { ResponseState } from '@/ui/ResponseState';
import { Suspicion } from '@/ui/Score';
import { Suppressed } from '@/ui/Suppressed';
import { AnalysisBlock } from './AnalysisBlock';
import { AutomationTimeline } from './AutomationTimeline';
import { Conversations } from './Conversations';
import { CrmLinks } from './CrmLinks';
import classes from './Lead.module.css';
import {
  AssignPicker,
  Block,
  CustomFieldFacts,
  Journey,
  LeadFacts,
  ScoreBlock,
  StagePicker,
  SubmissionCard,
  TagEditor,
  Timeline,
  Visitor,
} from './LeadParts';
import { LeadTasks } from './LeadTasks';
import { Merges } from './Merges';
import { Messages } from './Messages';
import { useConvertLead, useDeleteLead } from './mutations';
import { QuickSend } from './QuickSend';
import { leadQuery, submissionsQuery } from './queries';
import { useNeighbours } from './sequence';
import { Worth } from './Worth';

interface LeadViewProps {
  id: string;
  layout: 'panel' | 'page';
  onDeleted: () => void;
}

/** All of one lead: who it is and what to do, how warm, what it asked for, where it came from, what happened since. */
export function LeadView({ id, layout, onDeleted }: LeadViewProps) {
  const lead = useQuery(leadQuery(id));
  if (lead.isPending) return <LeadSkeleton />;
  if (lead.isError && !lead.data) {
    if (lead.error instanceof Problem && lead.error.status === 404) {
      return <Empty title="There is no such lead">It may have been deleted, or it belongs to another workspace.</Empty>;
    }
    return <Failure error={lead.error} retry={() => void lead.refetch()} />;
  }
  return <LoadedLead lead={lead.data} layout={layout} onDeleted={onDeleted} />;
}

function LeadSkeleton() {
  return (
    <Stack gap="sm" role="status" aria-label="Loading">
      <Skeleton h={28} w="60%" />
      <Skeleton h={30} w="80%" />
      <Skeleton h={180} />
      <Skeleton h={120} />
      <Skeleton h={240} />
    </Stack>
  );
}

function LoadedLead({
  lead,
  layout,
  onDeleted,
}: {
  lead: LeadDetail;
  layout: 'panel' | 'page';
  onDeleted: () => void;
}) {
  const permits = usePermits();
  const canEdit = permits.can('leads:manage');
  const why = permits.why('leads:manage');
  const facts = (
    <Block title="Details">
      <LeadFacts lead={lead} canEdit={canEdit} />
    </Block>
  );
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const worth = (
    <Block title="Value">
      <Worth lead={lead} pipeline={pipelines.find(({ id }) => id === lead.pipelineId)} canEdit={canEdit} />
    </Block>
  );
  const tags = (
    <Block title="Tags">
      <TagEditor lead={lead} canEdit={canEdit} />
    </Block>
  );
  const custom = Object.keys(lead.customFields).some((key) => key !== '_displayNames') && (
    <Block title="Custom fields">
      <CustomFieldFacts lead={lead} canEdit={canEdit} />
    </Block>
  );
  const submissions = <Submissions leadId={lead.id} count={lead.submissionCount} />;
  const tasks = <LeadTasks leadId={lead.id} why={why} />;
  const conversations = (
    <>
      <Messages leadId={lead.id} />
      <Conversations leadId={lead.id} />
    </>
  );
  const journey = (
    <Block title="Where it came from">
      <Journey lead={lead} />
    </Block>
  );
  const visitor = lead.context && (
    <Block title="Visitor">
      <Visitor context={lead.context} />
    </Block>
  );
  const crm = (
    <>
      <CrmLinks links={lead.crmLinks} />
      <Merges leadId={lead.id} />
    </>
  );
  const head = (
    <>
      <LeadHead lead={lead} layout={layout} onDeleted={onDeleted} />
      <Suppressed of="leads" id={lead.id} />
    </>
  );
  if (layout === 'panel') {
    return (
      <>
        {head}
        {tasks}
        {facts}
        {worth}
        {crm}
        {tags}
        <ScoreBlock lead={lead} />
        {conversations}
        <AnalysisBlock lead={lead} why={why} />
        {submissions}
        {journey}
        {visitor}
        {custom}
        <AutomationTimeline leadId={lead.id} />
        <Timeline lead={lead} why={why} />
      </>
    );
  }
  return (
    <>
      {head}
      <div className={classes.grid}>
        <div>
          <ScoreBlock lead={lead} />
          {conversations}
          <AnalysisBlock lead={lead} why={why} />
          {submissions}
          {journey}
          <AutomationTimeline leadId={lead.id} />
          <Timeline lead={lead} why={why} />
        </div>
        <div>
          {tasks}
          {facts}
          {worth}
          {crm}
          {tags}
          {visitor}
          {custom}
        </div>
      </div>
    </>
  );
}

function LeadHead({ lead, layout, onDeleted }: { lead: LeadDetail; layout: 'panel' | 'page'; onDeleted: () => void }) {
  const permits = usePermits();
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const pipeline = pipelines.find(({ id }) => id === lead.pipelineId);
  const remove = useDeleteLead();
  const manage = permits.why('leads:manage');
  const deletion = permits.why('leads:delete');
  const [converting, setConverting] = useState(false);
  const [sending, setSending] = useState(false);
  const sendWhy = permits.why('messaging:send');
  return (
    <div className={classes.head}>
      <div className={classes.title}>
        <Title order={layout === 'page' ? 1 : 2}>{lead.name}</Title>
        <Suspicion suspicion={lead.suspicion} />
        {lead.isTest && <Tag>test</Tag>}
        {lead.state === 'in_progress' && <Tag>chat in progress</Tag>}
      </div>
      <div className={classes.meta}>
        {(lead.title || lead.company) && <span>{[lead.title, lead.company].filter(Boolean).join(', ')}</span>}
        <span>
          Last submission <Time at={lead.lastSubmissionAt} />
        </span>
        {lead.response && <ResponseState response={lead.response} />}
        {lead.convertedAt && (
          <span>
            Converted <Time at={lead.convertedAt} />
          </span>
        )}
        {lead.masked && <span>Personal data is masked for your role.</span>}
      </div>
      <div className={classes.actions}>
        <StagePicker lead={lead} pipeline={pipeline} why={manage} />
        <AssignPicker lead={lead} why={manage} />
        <PermitButton variant="default" why={sendWhy} onClick={() => setSending(true)}>
          Quick send
        </PermitButton>
        {sending && <QuickSend leadIds={[lead.id]} onClose={() => setSending(false)} />}
        {!lead.convertedAt && !manage && (
          <Button variant="default" onClick={() => setConverting(true)}>
            Convert
          </Button>
        )}
        <Tooltip label={deletion ?? 'Delete the lead'}>
          <ActionIcon
            variant="default"
            size={30}
            aria-label="Delete the lead"
            data-disabled={deletion !== undefined}
            aria-disabled={deletion !== undefined}
            loading={remove.isPending}
            onClick={() => !deletion && remove.mutate(lead, { onSuccess: onDeleted })}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Tooltip>
      </div>
      {converting && <ConvertDialog lead={lead} onClose={() => setConverting(false)} />}
    </div>
  );
}

function ConvertDialog({ lead, onClose }: { lead: LeadDetail; onClose: () => void }) {
  const convert = useConvertLead(lead.id);
  const [name, setName] = useState(lead.name);
  const [platform, setPlatform] = useState('');
  return (
    <Modal opened onClose={onClose} title="Convert to a customer" size="sm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          convert.mutate({ name: name.trim(), platform: platform.trim() });
          onClose();
        }}
      >
        <Stack gap="sm">
          <Text size="sm">
            The contact behind this lead becomes a customer, and takes over e-mail, phone, tags, custom fields and
            notes.
          </Text>
          <TextInput
            label="Name"
            required
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label="Platform"
            description="Where the customer is kept, if anywhere"
            maxLength={60}
            value={platform}
            onChange={(event) => setPlatform(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit">Convert</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Submissions({ leadId, count }: { leadId: string; count: number }) {
  const why = usePermits().why('leads:manage');
  const submissions = useQuery(submissionsQuery(leadId));
  return (
    <Block title={count === 1 ? 'Submission' : `${count} submissions`}>
      {submissions.isPending && <Skeleton h={96} />}
      {submissions.isError && <Failure error={submissions.error} retry={() => void submissions.refetch()} />}
      {submissions.data?.data.map((submission) => (
        <SubmissionCard key={submission.id} submission={submission} why={why} isOneOfSeveral={count > 1} />
      ))}
      {submissions.data?.data.length === 0 && <div className={classes.small}>None.</div>}
    </Block>
  );
}

interface StepperProps {
  id: string;
  onGo: (id: string) => void;
  children?: ReactNode;
}

/** To the previous and the next lead of the view one came from. */
export function LeadStepper({ id, onGo }: StepperProps) {
  const { previous, next, position, length } = useNeighbours(id);
  if (position === 0) return null;
  const step = (to: string | null, label: string, icon: ReactNode) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={label}
      title={label}
      disabled={!to}
      onClick={() => to && onGo(to)}
    >
      {icon}
    </ActionIcon>
  );
  return (
    <>
      {step(previous, 'Previous lead (K)', <IconChevronUp size={18} />)}
      {step(next, 'Next lead (J)', <IconChevronDown size={18} />)}
      <span className={classes.small}>
        {position} of {length}
      </span>
    </>
  );
}
