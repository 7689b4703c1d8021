import { Button, Skeleton, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Problem } from '@/api/problem';
import { Empty, Failure, PageBody, PageHead, State } from '@/ui/basics';
import { Editor } from './Editor';
import { automationQuery } from './queries';
import { RunLog } from './RunLog';

const route = getRouteApi('/shell/automations/$automationId');

const Back = () => (
  <Button component={Link} to="/automations" variant="subtle" size="compact-sm" ml={-8}>
    All automations
  </Button>
);

export function NewAutomationPage() {
  return (
    <PageBody>
      <Back />
      <PageHead title="New automation" />
      <Editor />
    </PageBody>
  );
}

/** One automation: what it does, and whom it did it for. */
export function AutomationPage() {
  const { automationId } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const automation = useQuery(automationQuery(automationId));
  const isGone = automation.error instanceof Problem && automation.error.status === 404;
  return (
    <PageBody>
      <Back />
      {automation.isPending && <Skeleton h={320} mt="sm" />}
      {isGone && <Empty title="There is no such automation">It may have been deleted.</Empty>}
      {automation.isError && !isGone && !automation.data && (
        <Failure error={automation.error} retry={() => void automation.refetch()} />
      )}
      {automation.data && !isGone && (
        <>
          <PageHead
            title={automation.data.name}
            note={
              <State color={automation.data.isActive ? 'green' : 'gray'}>
                {automation.data.isActive ? 'Active' : 'Switched off'}
              </State>
            }
          />
          <Tabs
            value={tab ?? 'steps'}
            onChange={(next) => void navigate({ search: next === 'runs' ? { tab: 'runs' } : {} })}
            keepMounted={false}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="steps">Steps</Tabs.Tab>
              <Tabs.Tab value="runs">Run log</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="steps">
              {/* What somebody else changed is taken over once nothing is being edited here: by coming again. */}
              <Editor key={automation.data.id} automation={automation.data} />
            </Tabs.Panel>
            <Tabs.Panel value="runs">
              <RunLog automation={automation.data} />
            </Tabs.Panel>
          </Tabs>
        </>
      )}
    </PageBody>
  );
}
