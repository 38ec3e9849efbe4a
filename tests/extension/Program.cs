// Microsoft's Durable extension in a plain WebJobs host. It knows nothing of Python: each function of the app is a method
// made at run time, whose call goes through the door (FRONT_URL) to the local host. README.md has the door's calls.
using System.Reflection;
using System.Reflection.Emit;
using System.Text;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.DurableTask;
using Microsoft.Azure.WebJobs.Host.Config;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

// The extension blocks a thread for each orchestration that replays.
ThreadPool.SetMinThreads(64, 64);

string hostJson = await File.ReadAllTextAsync(Path.Combine(Environment.GetEnvironmentVariable("AzureWebJobsScriptRoot"), "host.json"));
string functions = await Door.Http.GetStringAsync("/_functions");

using IHost host = new HostBuilder()
    .ConfigureAppConfiguration(config => config
        .AddInMemoryCollection([new("AzureWebJobsConfigurationSection", "AzureFunctionsJobHost")])
        .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes($"{{\"AzureFunctionsJobHost\": {hostJson}}}")))
        .AddEnvironmentVariables())
    .ConfigureLogging(logging => logging.AddSimpleConsole(console => console.SingleLine = true)
        .SetMinimumLevel(LogLevel.Information)
        .AddFilter("DurableTask", LogLevel.Warning))
    .ConfigureWebJobs(builder =>
    {
        builder.Services.AddSingleton<ITypeLocator>(new App(JArray.Parse(functions)));
        builder.Services.AddSingleton<IWebHookProvider>(new WebHooks());
        builder.AddDurableTask();
    })
    .Build();

await host.StartAsync();
await host.Services.GetRequiredService<IJobHost>().CallAsync(nameof(OwnFunctions.durable_client));
(await Door.Http.PostAsync("/_client", new StringContent(OwnFunctions.Client))).EnsureSuccessStatusCode();
await host.WaitForShutdownAsync();

// Asks the extension for the text that a durableClient binding gives to a function that is not written in .NET.
public static class OwnFunctions
{
    public static string Client;

    [NoAutomaticTrigger]
    [FunctionName(nameof(durable_client))]
    public static void durable_client([DurableClient] string client) => Client = client;
}

// The client's text also has URLs of webhooks, which the Functions host would serve, and which nobody calls here.
#pragma warning disable CS0618
public class WebHooks : IWebHookProvider
{
    public Uri GetUrl(IExtensionConfigProvider extension) =>
        new($"http://localhost:{Door.Http.BaseAddress.Port}/runtime/webhooks/durabletask?code=test");
}

public static class Door
{
    public static readonly HttpClient Http = new()
    {
        BaseAddress = new Uri(Environment.GetEnvironmentVariable("FRONT_URL")),
        Timeout = TimeSpan.FromMinutes(30),
    };

    // Texts that look like dates stay texts.
    static readonly JsonSerializerSettings AsText = new() { DateParseHandling = DateParseHandling.None };

    public static Task<object> Invoke(string name, string input) => Invoke(name, input, null);

    // In a task of its own: no continuation may stay on the orchestration's synchronization context.
    public static Task<object> Invoke(string name, string input, string client) => Task.Run<object>(async () =>
    {
        using HttpRequestMessage question = new(HttpMethod.Post, $"/_invoke/{name}") { Content = new StringContent(input ?? "null") };
        if (client != null)
        {
            question.Headers.Add("X-Durable-Client", client);
        }
        using HttpResponseMessage answer = await Http.SendAsync(question);
        string text = await answer.Content.ReadAsStringAsync();
        if (answer.IsSuccessStatusCode)
        {
            return text.Length == 0 ? null : JsonConvert.DeserializeObject(text, AsText);
        }
        JObject fault = JObject.Parse(text);
        // As the Functions host's own exception of a worker's failure reads, which the extension takes apart.
        throw new WorkerException($"Result: Failure\nException: {fault["message"]}\nStack: {fault["stack"]}");
    });
}

public class WorkerException(string message) : Exception(message);

// The app's functions, as WebJobs wants them. Each is
//     public static Task<object> {name}([OrchestrationTrigger] or [ActivityTrigger] string {binding}) => Door.Invoke("{name}", {binding})
// with a second parameter, [DurableClient] string {client}, where the function has such a binding too.
public class App(JArray functions) : ITypeLocator
{
    public IReadOnlyList<Type> GetTypes() => [typeof(OwnFunctions), Functions()];

    Type Functions()
    {
        TypeBuilder type = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("App"), AssemblyBuilderAccess.Run)
            .DefineDynamicModule("App")
            .DefineType("Functions", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        foreach (JToken function in functions)
        {
            Define(type, function);
        }
        return type.CreateType();
    }

    static void Define(TypeBuilder type, JToken function)
    {
        string name = (string)function["name"];
        string client = (string)function["client"];
        Type trigger = (string)function["trigger"] == "orchestrationTrigger" ? typeof(OrchestrationTriggerAttribute) : typeof(ActivityTriggerAttribute);
        Type[] parameters = client == null ? [typeof(string)] : [typeof(string), typeof(string)];
        MethodBuilder method = type.DefineMethod(name, MethodAttributes.Public | MethodAttributes.Static, typeof(Task<object>), parameters);
        method.SetCustomAttribute(new CustomAttributeBuilder(typeof(FunctionNameAttribute).GetConstructor([typeof(string)]), [name]));
        DefineParameter(method, 1, (string)function["binding"], trigger);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldstr, name);
        il.Emit(OpCodes.Ldarg_0);
        if (client != null)
        {
            DefineParameter(method, 2, client, typeof(DurableClientAttribute));
            il.Emit(OpCodes.Ldarg_1);
        }
        il.Emit(OpCodes.Call, typeof(Door).GetMethod(nameof(Door.Invoke), [typeof(string), .. parameters]));
        il.Emit(OpCodes.Ret);
    }

    static void DefineParameter(MethodBuilder method, int position, string name, Type attribute) =>
        method.DefineParameter(position, ParameterAttributes.None, name)
            .SetCustomAttribute(new CustomAttributeBuilder(attribute.GetConstructor(Type.EmptyTypes), []));
}
