/* A machine that moves a stroke, waits, and begins again: a co-simulation unit for tests.

   Its cycles take stroke / (gear * speed) + wait, plus and minus jitter in turn. They end at their
   own times, not at those of the steps, so that cycle_time is exact. Compiled with FMI_VERSION=2 or
   FMI_VERSION=3; what no machine needs exists, since it has to, and fails. */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "{6f2c1d6e-0a4b-4b8e-9a57-3d1f0c5e7a21}"
#define UNSUPPORTED(name) int name(void) { return 3; }

enum { STROKE = 1, SPEED, WAIT, JITTER, LONGEST_STEP, LAST, CYCLE_TIME, FINISHED,
       FIRST_NUMBER, FAILURE, GEAR, CYCLES, IS_WAITING };

typedef struct {
    double numbers[FINISHED + 1];
    int64_t whole[IS_WAITING + 1];
    bool is_set_up;
    double length, end, sign;
    char name[64];
    void *environment, *logger;
} Machine;

static Machine *create(const char *name, const char *token)
{
    if (strcmp(token, TOKEN) != 0) return NULL;
    Machine *machine = calloc(1, sizeof(Machine));
    machine->numbers[STROKE] = machine->numbers[SPEED] = machine->whole[GEAR] = 1;
    machine->numbers[LONGEST_STEP] = machine->numbers[LAST] = INFINITY;
    machine->whole[IS_WAITING] = true;
    strncpy(machine->name, name, sizeof machine->name - 1);
    return machine;
}

static void plan(Machine *machine)
{
    const double *numbers = machine->numbers;
    machine->length = numbers[STROKE] / (numbers[SPEED] * machine->whole[GEAR])
        + (machine->whole[IS_WAITING] ? numbers[WAIT] : 0) + machine->sign * numbers[JITTER];
    machine->end += machine->length;
    machine->sign = -machine->sign;
}

static int begin(Machine *machine)
{
    machine->whole[CYCLES] = machine->whole[FIRST_NUMBER];
    machine->numbers[FINISHED] = machine->whole[CYCLES];
    machine->end = 0;
    machine->sign = 1;
    plan(machine);
    return 0;
}

static void finish(Machine *machine)
{
    machine->numbers[CYCLE_TIME] = machine->length;
    machine->numbers[FINISHED] = ++machine->whole[CYCLES];
}

static void move(Machine *machine, double until)
{
    if (!(machine->length > 0 && machine->length < INFINITY)) {
        finish(machine); /* such cycles would have no end; the tests want to see their time */
        return;
    }
    while (machine->end <= until + 1e-9) {
        finish(machine);
        plan(machine);
    }
}

/* Parameters, the variables that are no inputs, may be set before the initialisation only. */
static bool may_set(const Machine *machine, unsigned variable)
{
    return variable == WAIT || variable == JITTER || !machine->is_set_up;
}

#define ACCESS(version, type, c_type, place, last_arguments, last_values)                          \
    fmi##version##Get##type##TYPE fmi##version##Get##type;                                         \
    fmi##version##Set##type##TYPE fmi##version##Set##type;                                         \
    fmi##version##Status fmi##version##Get##type(void *instance,                                   \
        const fmi##version##ValueReference references[], size_t n, c_type values[] last_arguments) \
    {                                                                                              \
        Machine *machine = instance;                                                               \
        for (size_t i = 0; i < n; i++) values[i] = machine->place;                                 \
        last_values;                                                                               \
        return fmi##version##OK;                                                                   \
    }                                                                                              \
    fmi##version##Status fmi##version##Set##type(void *instance,                                   \
        const fmi##version##ValueReference references[], size_t n,                                 \
        const c_type values[] last_arguments)                                                      \
    {                                                                                              \
        Machine *machine = instance;                                                               \
        for (size_t i = 0; i < n; i++) {                                                           \
            if (!may_set(machine, references[i])) return fmi##version##Error;                      \
            machine->place = values[i];                                                            \
        }                                                                                          \
        last_values;                                                                               \
        return fmi##version##OK;                                                                   \
    }

#if FMI_VERSION == 2

#include "fmi2FunctionTypes.h"

ACCESS(2, Real, fmi2Real, numbers[references[i]], , )
ACCESS(2, Integer, fmi2Integer, whole[references[i]], , )
ACCESS(2, Boolean, fmi2Boolean, whole[references[i]], , )

fmi2GetTypesPlatformTYPE fmi2GetTypesPlatform;
fmi2GetVersionTYPE fmi2GetVersion;
fmi2InstantiateTYPE fmi2Instantiate;
fmi2FreeInstanceTYPE fmi2FreeInstance;
fmi2SetDebugLoggingTYPE fmi2SetDebugLogging;
fmi2SetupExperimentTYPE fmi2SetupExperiment;
fmi2EnterInitializationModeTYPE fmi2EnterInitializationMode;
fmi2ExitInitializationModeTYPE fmi2ExitInitializationMode;
fmi2TerminateTYPE fmi2Terminate;
fmi2DoStepTYPE fmi2DoStep;

const char *fmi2GetTypesPlatform(void) { return "default"; }
const char *fmi2GetVersion(void) { return "2.0"; }

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String token, fmi2String resources,
    const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging)
{
    (void)type, (void)resources, (void)visible, (void)logging;
    Machine *machine = create(name, token);
    if (!machine) return NULL;
    machine->environment = callbacks->componentEnvironment;
    machine->logger = (void *)callbacks->logger;
    return machine;
}

void fmi2FreeInstance(fmi2Component instance) { free(instance); }

fmi2Status fmi2SetDebugLogging(fmi2Component instance, fmi2Boolean logging, size_t n,
    const fmi2String categories[])
{
    (void)instance, (void)logging, (void)n, (void)categories;
    return fmi2OK;
}

fmi2Status fmi2SetupExperiment(fmi2Component instance, fmi2Boolean has_tolerance, fmi2Real tolerance,
    fmi2Real start, fmi2Boolean has_stop, fmi2Real stop)
{
    (void)instance, (void)has_tolerance, (void)tolerance, (void)has_stop, (void)stop;
    return start == 0 ? fmi2OK : fmi2Error;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component instance)
{
    ((Machine *)instance)->is_set_up = true;
    return fmi2OK;
}

fmi2Status fmi2ExitInitializationMode(fmi2Component instance) { return begin(instance); }
fmi2Status fmi2Terminate(fmi2Component instance) { return instance ? fmi2OK : fmi2Error; }

fmi2Status fmi2DoStep(fmi2Component instance, fmi2Real time, fmi2Real step, fmi2Boolean no_return)
{
    (void)no_return;
    Machine *machine = instance;
    if (step > machine->numbers[LONGEST_STEP]) {
        ((fmi2CallbackLogger)machine->logger)(machine->environment, machine->name, fmi2Discard,
            "logStatusDiscard", "a step of %g s is longer than %g s", step,
            machine->numbers[LONGEST_STEP]);
        return fmi2Discard;
    }
    if (machine->whole[FAILURE]) return machine->whole[FAILURE];
    move(machine, time + step);
    return time + step < machine->numbers[LAST] ? fmi2OK : fmi2Discard;
}

UNSUPPORTED(fmi2CancelStep)
UNSUPPORTED(fmi2DeSerializeFMUstate)
UNSUPPORTED(fmi2FreeFMUstate)
UNSUPPORTED(fmi2GetBooleanStatus)
UNSUPPORTED(fmi2GetDirectionalDerivative)
UNSUPPORTED(fmi2GetFMUstate)
UNSUPPORTED(fmi2GetIntegerStatus)
UNSUPPORTED(fmi2GetRealOutputDerivatives)
UNSUPPORTED(fmi2GetRealStatus)
UNSUPPORTED(fmi2GetStatus)
UNSUPPORTED(fmi2GetString)
UNSUPPORTED(fmi2GetStringStatus)
UNSUPPORTED(fmi2Reset)
UNSUPPORTED(fmi2SerializeFMUstate)
UNSUPPORTED(fmi2SerializedFMUstateSize)
UNSUPPORTED(fmi2SetFMUstate)
UNSUPPORTED(fmi2SetRealInputDerivatives)
UNSUPPORTED(fmi2SetString)

#else

#include <stdio.h>

#include "fmi3FunctionTypes.h"

#define N_VALUES , size_t n_values
#define IGNORED (void)n_values

ACCESS(3, Float64, fmi3Float64, numbers[references[i]], N_VALUES, IGNORED)
ACCESS(3, Int32, fmi3Int32, whole[references[i]], N_VALUES, IGNORED)
ACCESS(3, Int64, fmi3Int64, whole[references[i]], N_VALUES, IGNORED)
ACCESS(3, UInt64, fmi3UInt64, whole[references[i]], N_VALUES, IGNORED)
ACCESS(3, Boolean, fmi3Boolean, whole[references[i]], N_VALUES, IGNORED)

fmi3GetVersionTYPE fmi3GetVersion;
fmi3InstantiateCoSimulationTYPE fmi3InstantiateCoSimulation;
fmi3FreeInstanceTYPE fmi3FreeInstance;
fmi3SetDebugLoggingTYPE fmi3SetDebugLogging;
fmi3EnterInitializationModeTYPE fmi3EnterInitializationMode;
fmi3ExitInitializationModeTYPE fmi3ExitInitializationMode;
fmi3TerminateTYPE fmi3Terminate;
fmi3DoStepTYPE fmi3DoStep;

const char *fmi3GetVersion(void) { return "3.0"; }

fmi3Instance fmi3InstantiateCoSimulation(fmi3String name, fmi3String token, fmi3String resources,
    fmi3Boolean visible, fmi3Boolean logging, fmi3Boolean has_events, fmi3Boolean may_return_early,
    const fmi3ValueReference intermediate[], size_t n, fmi3InstanceEnvironment environment,
    fmi3LogMessageCallback logger, fmi3IntermediateUpdateCallback update)
{
    (void)resources, (void)visible, (void)logging, (void)has_events, (void)may_return_early;
    (void)intermediate, (void)n, (void)update;
    Machine *machine = create(name, token);
    if (!machine) return NULL;
    machine->environment = environment;
    machine->logger = (void *)logger;
    return machine;
}

void fmi3FreeInstance(fmi3Instance instance) { free(instance); }

fmi3Status fmi3SetDebugLogging(fmi3Instance instance, fmi3Boolean logging, size_t n,
    const fmi3String categories[])
{
    (void)instance, (void)logging, (void)n, (void)categories;
    return fmi3OK;
}

fmi3Status fmi3EnterInitializationMode(fmi3Instance instance, fmi3Boolean has_tolerance,
    fmi3Float64 tolerance, fmi3Float64 start, fmi3Boolean has_stop, fmi3Float64 stop)
{
    (void)has_tolerance, (void)tolerance, (void)has_stop, (void)stop;
    ((Machine *)instance)->is_set_up = true;
    return start == 0 ? fmi3OK : fmi3Error;
}

fmi3Status fmi3ExitInitializationMode(fmi3Instance instance) { return begin(instance); }
fmi3Status fmi3Terminate(fmi3Instance instance) { return instance ? fmi3OK : fmi3Error; }

fmi3Status fmi3DoStep(fmi3Instance instance, fmi3Float64 time, fmi3Float64 step,
    fmi3Boolean no_return, fmi3Boolean *has_event, fmi3Boolean *is_over, fmi3Boolean *is_early,
    fmi3Float64 *reached)
{
    (void)no_return;
    Machine *machine = instance;
    *has_event = *is_early = false;
    *reached = time + step;
    *is_over = *reached >= machine->numbers[LAST];
    if (step > machine->numbers[LONGEST_STEP]) {
        char text[99];
        snprintf(text, sizeof text, "a step of %g s is longer than %g s", step,
            machine->numbers[LONGEST_STEP]);
        ((fmi3LogMessageCallback)machine->logger)(
            machine->environment, fmi3Discard, "logStatusDiscard", text);
        return fmi3Discard;
    }
    if (machine->whole[FAILURE]) return machine->whole[FAILURE];
    move(machine, *reached);
    return fmi3OK;
}

UNSUPPORTED(fmi3ActivateModelPartition)
UNSUPPORTED(fmi3CompletedIntegratorStep)
UNSUPPORTED(fmi3DeserializeFMUState)
UNSUPPORTED(fmi3EnterConfigurationMode)
UNSUPPORTED(fmi3EnterContinuousTimeMode)
UNSUPPORTED(fmi3EnterEventMode)
UNSUPPORTED(fmi3EnterStepMode)
UNSUPPORTED(fmi3EvaluateDiscreteStates)
UNSUPPORTED(fmi3ExitConfigurationMode)
UNSUPPORTED(fmi3FreeFMUState)
UNSUPPORTED(fmi3GetAdjointDerivative)
UNSUPPORTED(fmi3GetBinary)
UNSUPPORTED(fmi3GetClock)
UNSUPPORTED(fmi3GetContinuousStateDerivatives)
UNSUPPORTED(fmi3GetContinuousStates)
UNSUPPORTED(fmi3GetDirectionalDerivative)
UNSUPPORTED(fmi3GetEventIndicators)
UNSUPPORTED(fmi3GetFMUState)
UNSUPPORTED(fmi3GetFloat32)
UNSUPPORTED(fmi3GetInt16)
UNSUPPORTED(fmi3GetInt8)
UNSUPPORTED(fmi3GetIntervalDecimal)
UNSUPPORTED(fmi3GetIntervalFraction)
UNSUPPORTED(fmi3GetNominalsOfContinuousStates)
UNSUPPORTED(fmi3GetNumberOfContinuousStates)
UNSUPPORTED(fmi3GetNumberOfEventIndicators)
UNSUPPORTED(fmi3GetNumberOfVariableDependencies)
UNSUPPORTED(fmi3GetOutputDerivatives)
UNSUPPORTED(fmi3GetShiftDecimal)
UNSUPPORTED(fmi3GetShiftFraction)
UNSUPPORTED(fmi3GetString)
UNSUPPORTED(fmi3GetUInt16)
UNSUPPORTED(fmi3GetUInt32)
UNSUPPORTED(fmi3GetUInt8)
UNSUPPORTED(fmi3GetVariableDependencies)
UNSUPPORTED(fmi3InstantiateModelExchange)
UNSUPPORTED(fmi3InstantiateScheduledExecution)
UNSUPPORTED(fmi3Reset)
UNSUPPORTED(fmi3SerializeFMUState)
UNSUPPORTED(fmi3SerializedFMUStateSize)
UNSUPPORTED(fmi3SetBinary)
UNSUPPORTED(fmi3SetClock)
UNSUPPORTED(fmi3SetContinuousStates)
UNSUPPORTED(fmi3SetFMUState)
UNSUPPORTED(fmi3SetFloat32)
UNSUPPORTED(fmi3SetInt16)
UNSUPPORTED(fmi3SetInt8)
UNSUPPORTED(fmi3SetIntervalDecimal)
UNSUPPORTED(fmi3SetIntervalFraction)
UNSUPPORTED(fmi3SetShiftDecimal)
UNSUPPORTED(fmi3SetShiftFraction)
UNSUPPORTED(fmi3SetString)
UNSUPPORTED(fmi3SetTime)
UNSUPPORTED(fmi3SetUInt16)
UNSUPPORTED(fmi3SetUInt32)
UNSUPPORTED(fmi3SetUInt8)
UNSUPPORTED(fmi3UpdateDiscreteStates)

#endif
