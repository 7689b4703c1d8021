import { getRouteApi, Navigate } from '@tanstack/react-router';
import { usePermits } from '@/api/session';
import { Empty } from '@/ui/basics';
import { AlertMails } from './AlertMails';
import { AnalysisSettings } from './AnalysisSettings';
import { CustomFields } from './CustomFields';
import { FraudSettings } from './FraudSettings';
import { MyAlerts } from './MyAlerts';
import { Pipelines } from './Pipelines';
import { Roles } from './Roles';
import { Scoring } from './Scoring';
import { Security } from './Security';
import { SignInSettings } from './SignInSettings';
import { Tokens } from './Tokens';
import { TABS } from './tabs';
import { Users } from './Users';
import { WorkingHours } from './WorkingHours';
import { WorkspaceSettings } from './WorkspaceSettings';

const route = getRouteApi('/shell/settings/$tab');

export function SettingsTab() {
  const { tab } = route.useParams();
  const permits = usePermits();
  const known = TABS.find((each) => each.tab === tab);
  if (!known) return <Empty title="There are no such settings">Choose one of the above.</Empty>;
  if (known.permission !== null && !permits.can(known.permission)) {
    // The first tab is where /settings leads; who may not see it starts at the own tokens.
    return <Navigate to="/settings/$tab" params={{ tab: 'tokens' }} replace />;
  }
  switch (known.tab) {
    case 'workspace':
      return <WorkspaceSettings />;
    case 'pipelines':
      return <Pipelines />;
    case 'fields':
      return <CustomFields />;
    case 'scoring':
      return <Scoring />;
    case 'fraud':
      return <FraudSettings />;
    case 'analysis':
      return <AnalysisSettings />;
    case 'alerts':
      return <AlertMails />;
    case 'work':
      return <WorkingHours />;
    case 'my-alerts':
      return <MyAlerts />;
    case 'users':
      return <Users />;
    case 'sign-in':
      return <SignInSettings />;
    case 'roles':
      return <Roles />;
    case 'tokens':
      return <Tokens />;
    case 'sessions':
      return <Security />;
  }
}
